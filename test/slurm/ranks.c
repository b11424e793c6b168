/* An MPI program of the host: sums the ranks and says who, where and in which namespace it is. */
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int rank, size, sum = 0;
    char host[256] = "", user[64] = "";

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    gethostname(host, sizeof host - 1);
    if (readlink("/proc/self/ns/user", user, sizeof user - 1) < 0)
        return 1;
    printf("rank %d of %d on %s in %s sum %d\n", rank, size, host, user, sum);
    MPI_Finalize();
    return 0;
}
