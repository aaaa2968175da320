#include "schedule/team.h"

#include <ebrsweep/schedule.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers that travel at a time: what comes in is still in the cache when it is added. */
enum { CHUNK = 1 << 15, GRAIN = 16 };

struct ebr_team {
  MPI_Comm comm;
  int size, rank;
  ebr_error *fault; /* the first of those calls that return none */
  ebr_real *in;     /* (2 x CHUNK) */
  double *merged;   /* (CHUNK) */
};

#ifdef EBR_TRAIN_DOUBLE
#define REAL MPI_DOUBLE
#else
#define REAL MPI_FLOAT
#endif

/* ---- making ------------------------------------------------------------------------------------------------------ */

/* Of the team of at most `most` ranks that `rank` is in: the first rank; they follow each other. */
static int first_rank(int rank, int ranks, int most, int *size)
{
  int first = 0;
  for (*size = most; *size > 1; *size /= 2) {
    int whole = (ranks - first) / *size * *size;
    if (rank < first + whole) return rank - (rank - first) % *size;
    first += whole;
  }
  return rank;
}

/* Collective on comm. Those of one colour become a team. */
static ebr_error *split(MPI_Comm comm, int colour, int size, ebr_team **team)
{
  ebr_error *error = NULL;
  ebr_team *made = calloc(1, sizeof *made);
  if (made) *made = (ebr_team){.comm = MPI_COMM_NULL, .size = size};
  if (made) made->in = malloc(sizeof *made->in * 2 * CHUNK);
  if (made) made->merged = malloc(CHUNK * sizeof *made->merged);
  bool reserved = made && made->in && made->merged;
  EBR_TRY(ebr_agree(comm, reserved ? NULL : ebr_error_create(EBR_MEMORY, __FILE__, __LINE__, "no memory for a team")));
  EBR_HAS(made);
  EBR_TRY_MPI(MPI_Comm_split(comm, size > 1 ? colour : MPI_UNDEFINED, 0, &made->comm));
  if (size > 1) {
    EBR_TRY_MPI(MPI_Comm_set_errhandler(made->comm, MPI_ERRORS_RETURN));
    EBR_TRY_MPI(MPI_Comm_set_name(made->comm, "ebrsweep team"));
    EBR_TRY_MPI(MPI_Comm_rank(made->comm, &made->rank));
    *team = made;
    made = NULL;
  }
done:
  if (made) {
    ebr_error *later = ebr_team_destroy(&made);
    if (error) ebr_error_destroy(&later);
    else error = later;
  }
  return error;
}

ebr_error *ebr_team_create(MPI_Comm comm, int size, ebr_team **team)
{
  ebr_error *error = NULL;
  int rank, ranks, own;
  *team = NULL;
  if (size < 2) goto done;
  EBR_TRY_MPI(MPI_Comm_rank(comm, &rank));
  EBR_TRY_MPI(MPI_Comm_size(comm, &ranks));
  int first = first_rank(rank, ranks, size, &own);
  EBR_TRY(split(comm, first, own, team));
done:
  return error;
}

ebr_error *ebr_team_halve(ebr_team **team)
{
  ebr_error *error = NULL;
  ebr_team *whole = *team, *half = NULL;
  if (!whole) goto done;
  EBR_TRY(split(whole->comm, whole->rank / (whole->size / 2), whole->size / 2, &half));
  EBR_TRY(ebr_team_destroy(team));
  *team = half;
done:
  return error;
}

ebr_error *ebr_team_destroy(ebr_team **team)
{
  ebr_error *error = NULL;
  ebr_team *t = *team;
  *team = NULL;
  if (!t) return NULL;
  error = t->fault;
  if (t->comm != MPI_COMM_NULL) (void)MPI_Comm_free(&t->comm);
  free(t->in);
  free(t->merged);
  free(t);
  return error;
}

MPI_Comm ebr_team_comm(const ebr_team *team) { return team ? team->comm : MPI_COMM_SELF; }
int ebr_team_size(const ebr_team *team) { return team ? team->size : 1; }
int ebr_team_rank(const ebr_team *team) { return team ? team->rank : 0; }

/* ---- sums -------------------------------------------------------------------------------------------------------- */

static void keep(ebr_team *team, ebr_error *error)
{
  if (team->fault) ebr_error_destroy(&error);
  else team->fault = error;
}

/* [start, stop) is cut in two; the partner at this level has the other half afterwards. */
typedef struct halving {
  int partner;
  size_t start, stop;             /* kept */
  size_t other_start, other_stop; /* given away */
} halving;

static halving halve(const ebr_team *team, int level, size_t start, size_t stop)
{
  size_t middle = start + (stop - start) / 2 / GRAIN * GRAIN;
  bool upper = team->rank >> level & 1;
  halving h = {team->rank ^ 1 << level, start, middle, middle, stop};
  if (upper) h = (halving){h.partner, middle, stop, start, middle};
  return h;
}

static size_t piece(size_t from, size_t stop) { return from >= stop ? 0 : stop - from < CHUNK ? stop - from : CHUNK; }

/* The k-th piece of what the partner gives comes in while the one before it is added. */
static ebr_error *exchange_and_add(ebr_team *team, const halving *h, ebr_real *values)
{
  ebr_error *error = NULL;
  MPI_Request in[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL}, out = MPI_REQUEST_NULL;
  size_t pieces = (h->stop - h->start + CHUNK - 1) / CHUNK,
         given = (h->other_stop - h->other_start + CHUNK - 1) / CHUNK;
  for (size_t k = 0; k <= pieces || k <= given; k++) {
    size_t at = h->start + k * CHUNK, gone = h->other_start + k * CHUNK;
    if (piece(at, h->stop))
      EBR_TRY_MPI(
          MPI_Irecv(team->in + k % 2 * CHUNK, (int)piece(at, h->stop), REAL, h->partner, 0, team->comm, &in[k % 2]));
    EBR_TRY_MPI(MPI_Wait(&out, MPI_STATUS_IGNORE));
    if (piece(gone, h->other_stop))
      EBR_TRY_MPI(MPI_Isend(values + gone, (int)piece(gone, h->other_stop), REAL, h->partner, 0, team->comm, &out));
    if (k == 0 || !piece(at - CHUNK, h->stop)) continue;
    EBR_TRY_MPI(MPI_Wait(&in[(k + 1) % 2], MPI_STATUS_IGNORE));
    const ebr_real *restrict from = team->in + (k + 1) % 2 * CHUNK;
    ebr_real *restrict to = values + at - CHUNK;
    for (size_t i = 0, count = piece(at - CHUNK, h->stop); i < count; i++) to[i] += from[i];
  }
  EBR_TRY_MPI(MPI_Wait(&out, MPI_STATUS_IGNORE));
done:
  return error;
}

void ebr_team_sum(ebr_team *team, ebr_real *values, size_t count, size_t *start, size_t *stop)
{
  *start = 0;
  *stop = count;
  for (int level = 0; team && 1 << level < team->size; level++) {
    halving h = halve(team, level, *start, *stop);
    ebr_error *error = exchange_and_add(team, &h, values);
    if (error) keep(team, error);
    *start = h.start;
    *stop = h.stop;
  }
}

static ebr_error *exchange(ebr_team *team, const halving *h, ebr_real *values)
{
  ebr_error *error = NULL;
  size_t most = (size_t)1 << 24;
  for (size_t done = 0; done < h->stop - h->start || done < h->other_stop - h->other_start; done += most) {
    size_t mine = h->start + done < h->stop ? h->stop - h->start - done : 0;
    size_t theirs = h->other_start + done < h->other_stop ? h->other_stop - h->other_start - done : 0;
    EBR_TRY_MPI(MPI_Sendrecv(values + h->start + (mine ? done : 0), (int)(mine < most ? mine : most), REAL, h->partner,
                             1, values + h->other_start + (theirs ? done : 0), (int)(theirs < most ? theirs : most),
                             REAL, h->partner, 1, team->comm, MPI_STATUS_IGNORE));
  }
done:
  return error;
}

void ebr_team_collect(ebr_team *team, ebr_real *values, size_t count)
{
  halving way[8];
  int levels = 0;
  size_t start = 0, stop = count;
  for (; team && 1 << levels < team->size; levels++) {
    way[levels] = halve(team, levels, start, stop);
    start = way[levels].start;
    stop = way[levels].stop;
  }
  for (int level = levels - 1; level >= 0; level--) {
    ebr_error *error = exchange(team, &way[level], values);
    if (error) keep(team, error);
  }
}

static ebr_error *add_partners(ebr_team *team, double *values, int count)
{
  ebr_error *error = NULL;
  double theirs[16];
  for (int bit = 1; bit < team->size; bit *= 2) {
    EBR_TRY_MPI(MPI_Sendrecv(values, count, MPI_DOUBLE, team->rank ^ bit, 2, theirs, count, MPI_DOUBLE,
                             team->rank ^ bit, 2, team->comm, MPI_STATUS_IGNORE));
    for (int i = 0; i < count; i++) values[i] += theirs[i];
  }
done:
  return error;
}

void ebr_team_total(ebr_team *team, double *values, int count)
{
  for (int start = 0; team && start < count; start += 16) {
    ebr_error *error = add_partners(team, values + start, count - start < 16 ? count - start : 16);
    if (error) keep(team, error);
  }
}

/* ---- agreeing ---------------------------------------------------------------------------------------------------- */

static ebr_error *any(ebr_team *team, bool mine, bool *answer)
{
  ebr_error *error = NULL;
  int all = mine;
  EBR_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_LOR, team->comm));
  *answer = all != 0;
done:
  return error;
}

bool ebr_team_any(ebr_team *team, bool mine)
{
  bool answer = mine;
  if (!team) return mine;
  ebr_error *error = any(team, mine, &answer);
  if (error) keep(team, error);
  return answer;
}

static ebr_error *share(ebr_team *team, char *bytes, size_t count)
{
  ebr_error *error = NULL;
  size_t most = (size_t)1 << 26;
  for (size_t done = 0; done < count; done += most)
    EBR_TRY_MPI(MPI_Bcast(bytes + done, (int)(count - done < most ? count - done : most), MPI_BYTE, 0, team->comm));
done:
  return error;
}

void ebr_team_share(ebr_team *team, void *bytes, size_t count)
{
  ebr_error *error = team ? share(team, bytes, count) : NULL;
  if (error) keep(team, error);
}

static ebr_error *merge(ebr_team *team, double *values, size_t count)
{
  ebr_error *error = NULL;
  for (size_t at = 0; at < count; at += CHUNK) {
    int length = (int)(count - at < CHUNK ? count - at : CHUNK);
    if (team->rank > 0) EBR_TRY_MPI(MPI_Send(values + at, length, MPI_DOUBLE, 0, 3, team->comm));
    for (int rank = 1; team->rank == 0 && rank < team->size; rank++) {
      EBR_TRY_MPI(MPI_Recv(team->merged, length, MPI_DOUBLE, rank, 3, team->comm, MPI_STATUS_IGNORE));
      for (int i = 0; i < length; i++)
        if (isnan(values[at + (size_t)i])) values[at + (size_t)i] = team->merged[i];
    }
  }
done:
  return error;
}

void ebr_team_merge(ebr_team *team, double *values, size_t count)
{
  ebr_error *error = team ? merge(team, values, count) : NULL;
  if (error) keep(team, error);
}

ebr_error *ebr_team_agree(ebr_team *team, ebr_error *mine)
{
  if (!team) return mine;
  if (!mine) {
    mine = team->fault;
    team->fault = NULL;
  }
  return ebr_agree(team->comm, mine);
}
