"""The whole of Kitchen Table on one machine, to look at and to test against. Nothing here is part of a deployment."""
