"""Organisations and their members.

Opening an organisation, its profile, memberships, invitations, handover and subscriptions to
services.
"""
