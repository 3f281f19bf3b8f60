"""
Accounts and mailboxes over Maildir++.
"""
