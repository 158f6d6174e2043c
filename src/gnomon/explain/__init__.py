"""Which training data and which circuits make it do so? (No instrument yet.)"""
