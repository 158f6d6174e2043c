"""One module per paper. (No study yet.)"""
