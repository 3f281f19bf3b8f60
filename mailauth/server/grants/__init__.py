"""
The token endpoint: the steps that all grants take, and one module for each way of getting a token.
"""
