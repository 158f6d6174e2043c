"""Does the model do it, how often, and how sure are we?"""
