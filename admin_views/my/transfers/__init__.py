"""Transfers that the agent's organisation asks for or has to answer."""
