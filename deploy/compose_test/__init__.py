"""The compose stack as a deployment runs it: built, brought up, walked through, looked at from inside, stopped, taken away."""
