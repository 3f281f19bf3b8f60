"""
Who says what an access token is: each module is an
L{ITokenValidator<mailauth.interfaces.ITokenValidator>}.
"""
