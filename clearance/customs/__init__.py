"""The automated customs system.

Its client, and the embedded register used where no customs system is connected.
"""
