#include "data/plausible.h"

#include <unistd.h>

/* The most that deflate makes of a byte (https://zlib.net/zlib_tech.html), and what arrays that were never written, and
 * so take no room at all, may come to. */
static const double PACKED_MOST = 1032;
static const double NEVER_WRITTEN = 1 << 24;

double ebr_plausible_most(double file) { return NEVER_WRITTEN + PACKED_MOST * file; }

static double extent_bytes(hid_t set)
{
  hsize_t extent[H5S_MAX_RANK] = {0};
  hid_t type = H5Dget_type(set), space = H5Dget_space(set);
  int rank = H5Sget_simple_extent_dims(space, extent, NULL);
  double bytes = (double)H5Tget_size(type);
  for (int i = 0; i < rank; i++) bytes *= (double)extent[i];
  H5Sclose(space);
  H5Tclose(type);
  return bytes;
}

static double chunk_bytes(hid_t set, hid_t creation)
{
  hsize_t extent[H5S_MAX_RANK] = {0};
  if (H5Pget_layout(creation) != H5D_CHUNKED) return 0;
  hid_t type = H5Dget_type(set);
  int rank = H5Pget_chunk(creation, H5S_MAX_RANK, extent);
  double bytes = (double)H5Tget_size(type);
  for (int i = 0; i < rank; i++) bytes *= (double)extent[i];
  H5Tclose(type);
  return bytes;
}

static double room(hid_t set, hid_t creation)
{
  hsize_t bytes = 0;
  if (H5Pget_layout(creation) == H5D_VIRTUAL || H5Pget_external_count(creation) > 0)
    return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  hid_t file = H5Iget_file_id(set);
  H5Fget_filesize(file, &bytes);
  H5Fclose(file);
  return ebr_plausible_most((double)bytes);
}

/* HDF5 itself (1.10.8) takes a member of a compound that lies behind its end, and then reads there. */
static bool is_whole(hid_t type)
{
  bool whole = true;
  for (int i = 0; H5Tget_class(type) == H5T_COMPOUND && i < H5Tget_nmembers(type) && whole; i++) {
    hid_t member = H5Tget_member_type(type, (unsigned)i);
    size_t offset = H5Tget_member_offset(type, (unsigned)i), size = H5Tget_size(type);
    whole = offset <= size && H5Tget_size(member) <= size - offset && is_whole(member);
    H5Tclose(member);
  }
  return whole;
}

ebr_error *ebr_plausible_dataset(ebr_code code, const char *path, const char *name, hid_t set)
{
  ebr_error *error = NULL;
  hid_t creation = H5Dget_create_plist(set), type = H5Dget_type(set);
  double promised = extent_bytes(set), chunk = chunk_bytes(set, creation), most = room(set, creation);
  EBR_CHECK(promised <= most, code, "%s: %s claims to be %.3g MB, more than such a file can hold", path, name,
            1e-6 * promised);
  EBR_CHECK(chunk <= most, code, "%s: %s claims to have chunks of %.3g MB, more than such a file can hold", path, name,
            1e-6 * chunk);
  EBR_CHECK(is_whole(type), code, "%s: is damaged: %s has a member behind its own end", path, name);
done:
  H5Tclose(type);
  H5Pclose(creation);
  return error;
}
