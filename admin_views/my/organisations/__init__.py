"""The agent's organisations: profile, further organisations, users and invitations."""
