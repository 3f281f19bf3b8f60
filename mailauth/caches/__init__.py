"""
What a validator said, remembered and shared.
"""
