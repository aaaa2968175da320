"""Microseconds of a worker's time for each empty task by mpi4py.futures: one task at a time, and in chunks of 50. Started by
bench/schedule."""
import time

from mpi4py import MPI
from mpi4py.futures import MPIPoolExecutor


def empty(_):
    return 0


if __name__ == "__main__":
    workers, times = MPI.COMM_WORLD.Get_size() - 1, []
    with MPIPoolExecutor() as pool:
        list(pool.map(empty, range(100)))
        for tasks, chunk in ((5000, 1), (50000, 50)):
            start = time.perf_counter()
            for _ in pool.map(empty, range(tasks), chunksize=chunk):
                pass
            times.append(1e6 * (time.perf_counter() - start) * workers / tasks)
    print(*times)
