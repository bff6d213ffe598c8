"""What a process does once about its memory when it has started."""

import gc

ALLOCATIONS_BEFORE_A_COLLECTION = 20_000  # a request makes some thousands of objects, and leaves few behind


def keep_out_of_collections() -> None:
    """What is there now (modules, schemas, templates) stays until the process ends. Without this, Python's garbage collector
    looks at all of it again and again: about 60 ms each time, in the middle of somebody's request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BEFORE_A_COLLECTION, 20, 20)
