/*-------------------------------------------------------------------------
 *
 * fault.c
 *	  Preloaded into a test server: the n-th write, read or allocation fails.
 *
 * What fails is said in the file $FAULT_CONTROL, which all processes map:
 * nothing unless 'ops' is set, and then only in process 'pid' (0: in all) and,
 * of files, only those whose path contains 'path'.  The first 'after' calls
 * succeed; then one fails, or all do.
 *
 * IDENTIFICATION
 *	  test/modules/fault/fault.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

/* bits of ops */
#define FAULT_WRITE		1		/* ENOSPC: pwrite, pwritev, posix_fallocate */
#define FAULT_READ		2		/* EIO: pread, preadv */
#define FAULT_SHM		4		/* ENOSPC: shm_open, posix_fallocate of a segment */
#define FAULT_MALLOC	8		/* of 1 kB or more */

/* test/reliability/suite/res.pl packs this */
typedef struct FaultControl
{
	int32_t		ops;
	int32_t		pid;
	int32_t		after;
	int32_t		all;			/* not only one */
	int32_t		failed;			/* how many have */
	char		path[108];
} FaultControl;

#define MIN_MALLOC		1024

extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_calloc(size_t n, size_t size);

static volatile FaultControl *control;

__attribute__((constructor))
static void
map_control(void)
{
	const char *name = getenv("FAULT_CONTROL");
	int			fd = name != NULL ? open(name, O_RDWR) : -1;
	void	   *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(FaultControl), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		control = p;
}

/* Count a call; is it one that fails? */
static int
fails(int op)
{
	if (control == NULL || !(control->ops & op) ||
		(control->pid != 0 && control->pid != getpid()))
		return 0;
	if (__sync_fetch_and_sub(&control->after, 1) > 0)
		return 0;
	if (!control->all && control->failed > 0)
		return 0;
	__sync_fetch_and_add(&control->failed, 1);
	return 1;
}

/* The same for a call on a file. */
static int
file_fails(int op, int fd)
{
	char		link[32];
	char		path[1024];
	ssize_t		n;

	if (control == NULL || !(control->ops & op))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	return strstr(path, (const char *) control->path) != NULL && fails(op);
}

#define NEXT(name)		((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

ssize_t
pwrite64(int fd, const void *buf, size_t n, off64_t offset)
{
	if (file_fails(FAULT_WRITE, fd))
	{
		errno = ENOSPC;
		return -1;
	}
	return NEXT(pwrite64) (fd, buf, n, offset);
}

ssize_t
pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	return pwrite64(fd, buf, n, offset);
}

ssize_t
pwritev64(int fd, const struct iovec *iov, int n, off64_t offset)
{
	if (file_fails(FAULT_WRITE, fd))
	{
		errno = ENOSPC;
		return -1;
	}
	return NEXT(pwritev64) (fd, iov, n, offset);
}

ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
	return pwritev64(fd, iov, n, offset);
}

int
posix_fallocate64(int fd, off64_t offset, off64_t len)
{
	if (file_fails(FAULT_WRITE, fd) || file_fails(FAULT_SHM, fd))
		return ENOSPC;
	return NEXT(posix_fallocate64) (fd, offset, len);
}

int
posix_fallocate(int fd, off_t offset, off_t len)
{
	return posix_fallocate64(fd, offset, len);
}

ssize_t
pread64(int fd, void *buf, size_t n, off64_t offset)
{
	if (file_fails(FAULT_READ, fd))
	{
		errno = EIO;
		return -1;
	}
	return NEXT(pread64) (fd, buf, n, offset);
}

ssize_t
pread(int fd, void *buf, size_t n, off_t offset)
{
	return pread64(fd, buf, n, offset);
}

int
shm_open(const char *name, int flags, mode_t mode)
{
	if ((flags & O_CREAT) && fails(FAULT_SHM))
	{
		errno = ENOSPC;
		return -1;
	}
	return NEXT(shm_open) (name, flags, mode);
}

void *
malloc(size_t size)
{
	if (size >= MIN_MALLOC && fails(FAULT_MALLOC))
	{
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(size);
}

void *
realloc(void *p, size_t size)
{
	if (size >= MIN_MALLOC && fails(FAULT_MALLOC))
	{
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, size);
}

void *
calloc(size_t n, size_t size)
{
	if (n * size >= MIN_MALLOC && fails(FAULT_MALLOC))
	{
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(n, size);
}
