/*
 * pingpong - what messages between two ranks of a node cost.
 *
 *     mpicc -O2 -o pingpong pingpong.c
 *     mpirun -np 2 pingpong [REPETITIONS]
 *
 * For each size prints the shortest time in microseconds that a message there and
 * back took, and a sum over both ranks: "ping-pong 65536 12.3", "allreduce ...".
 * Buffers are written first: what is measured is the copy, not page faults.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int sizes[] = {64 << 10, 1 << 20, 4 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes, LARGEST = 4 << 20, WARM_UP = 5 };

static void ping_pong(int rank, void *out, void *in, int size)
{
    if (rank == 0) {
        MPI_Send(out, size, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
        MPI_Recv(in, size, MPI_BYTE, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else if (rank == 1) {
        MPI_Recv(in, size, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(out, size, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
    }
}

static void add_up(int rank, void *out, void *in, int size)
{
    (void)rank;
    MPI_Allreduce(out, in, size / (int)sizeof(float), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

/* Collective. */
static void time_of(const char *name, void (*exchange)(int, void *, void *, int), int rank, int repetitions,
                    void *out, void *in)
{
    for (int i = 0; i < SIZES; i++) {
        double shortest = 1e9;
        for (int j = -WARM_UP; j < repetitions; j++) {
            MPI_Barrier(MPI_COMM_WORLD);
            double begin = MPI_Wtime();
            exchange(rank, out, in, sizes[i]);
            double took = MPI_Wtime() - begin;
            if (j >= 0 && took < shortest)
                shortest = took;
        }
        if (rank == 0)
            printf("%s %d %.2f\n", name, sizes[i], shortest * 1e6);
    }
}

int main(int argc, char **argv)
{
    int rank, size, repetitions = argc > 1 ? atoi(argv[1]) : 200;
    char *out = malloc(LARGEST), *in = malloc(LARGEST);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size != 2 || !out || !in) {
        fputs("pingpong: needs two ranks, and memory\n", stderr);
        MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    }
    memset(out, 0, LARGEST);
    memset(in, 0, LARGEST);
    time_of("ping-pong", ping_pong, rank, repetitions, out, in);
    time_of("allreduce", add_up, rank, repetitions, out, in);
    free(out);
    free(in);
    MPI_Finalize();
    return EXIT_SUCCESS;
}
