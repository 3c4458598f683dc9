"""Service engine: definitions and their versions, flows, guards, effects and facts."""
