"""inspect_registry"""
