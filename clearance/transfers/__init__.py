"""Transfers of brokers between organisations.

Parties, consents, and the guards, effects and definition of the transfer service.
"""
