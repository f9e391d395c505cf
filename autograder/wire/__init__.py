"""The messages between the judge and the worker: plain data, never pickle."""
