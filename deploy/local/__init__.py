"""The whole product on this machine: its folder, settings and processes, and a mail server and an SMS gateway that send nothing.

The demo, the tests of journeys and the measurements stand on it.
"""
