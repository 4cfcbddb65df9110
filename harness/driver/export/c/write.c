#include <sys/statvfs.h>

/* Whether a write may have found no space for all of it. */
static int is_nearly_full(int file)
{
	struct statvfs now;

	return !fstatvfs(fd[file], &now) && now.f_bavail * now.f_frsize < 1 << 22;
}

/* A write whose source has `asked` bytes, of which `readable` can be read; -1: nobody knows. */
static void wrote(int call, const char *what, ssize_t result, long long asked, long long readable)
{
	long long pos = effects[call].pos, least = readable, done = 0 < result ? result : 0;
	int excused = (readable < asked && errno == EFAULT) || no_space();

	told(what, result);
//- if refuses
	excused |= errno == EINVAL && effects[call].refuses;
//- end
//- if collides
	/* A call past the cache may give up beside one through it. */
	excused |= errno == EIO && effects[call].weak;
//- end
	if (result < 0 && !excused)
		wrong("%s failed: %s", what, strerror(errno));
	/* A source that ends early may end the write at the last whole block. */
	if (0 <= readable && readable < asked && (least = (pos + readable) / PAGE * PAGE - pos) < 0)
		least = 0;
	if (done < least && 0 <= result && is_nearly_full(effects[call].file))
		full = 1;
	else if (0 <= readable &&
		 (readable < done || (done < least && (0 <= result || errno == EFAULT))))
		wrong("%s returned %zd, and %lld bytes could be read", what, result, readable);
	/* One that fails behind the end of the file may leave the end where it was to begin. */
	if (result < 0) {
		pthread_mutex_lock(&lock);
		effects[call].least = effects[call].most = pos;
		pthread_mutex_unlock(&lock);
	}
	ended_with(call, pos, pos + done);
}

