/*
 * hybrid - each rank counts its threads and the CPUs that it may use.
 *
 *     mpicc -fopenmp -o hybrid hybrid.c
 *     OMP_NUM_THREADS=2 srun --mpi=pmix coracle run IMAGE -- ./hybrid
 *
 * Exits with 0 when every rank has run as many threads as OMP_NUM_THREADS says.
 */
#define _GNU_SOURCE
#include <mpi.h>
#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int count_threads(void)
{
    int threads = 0;

#pragma omp parallel reduction(+ : threads)
    threads++;
    return threads;
}

static int count_cpus(void)
{
    cpu_set_t cpus;

    return sched_getaffinity(0, sizeof cpus, &cpus) < 0 ? -1 : CPU_COUNT(&cpus);
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("OMP_NUM_THREADS");
    const int threads = count_threads();
    int rank;
    int size;
    int right = !wanted || atoi(wanted) == threads;
    int all_right = 0;
    char host[256] = "";

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    gethostname(host, sizeof host - 1);
    printf("rank %d of %d  host %s  %d threads on %d CPUs\n", rank, size, host, threads, count_cpus());
    fflush(stdout);
    MPI_Allreduce(&right, &all_right, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
    MPI_Finalize();
    return all_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
