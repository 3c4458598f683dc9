"""The agent's organisation: profile, further organisations, users and invitations."""
