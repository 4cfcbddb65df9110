#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

/* After an fsync no block below the end of a file is promised and not allocated. */
static void check_promises(void)
{
	for (int file = 0; file < FILES; file++) {
		struct { struct fiemap map; struct fiemap_extent extent[512]; } all;
		struct stat now;

		memset(&all, 0, sizeof(all));
		if (fstat(fd[file], &now))
			cannot(path[file]);
		all.map.fm_length = now.st_size;
		all.map.fm_extent_count = 512;
		if (ioctl(fd[file], FS_IOC_FIEMAP, &all.map))
			cannot("FIEMAP");
		for (unsigned int i = 0; i < all.map.fm_mapped_extents; i++)
			if (all.extent[i].fe_flags & FIEMAP_EXTENT_DELALLOC)
				wrong("after fsync %llu bytes at %llu of %s are delayed still",
				      (unsigned long long)all.extent[i].fe_length,
				      (unsigned long long)all.extent[i].fe_logical, names[file]);
	}
}

