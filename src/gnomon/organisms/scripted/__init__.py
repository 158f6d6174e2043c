"""Scripted organisms: programs behind the Model interface whose behaviour is exact by construction."""

from gnomon.organisms.scripted.model import ScriptedModel, open_scripted

__all__ = ["ScriptedModel", "open_scripted"]
