#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/*
 * By the system call, or else by its device, whose permissions say who may. The call comes first: it is there
 * before Linux 6.1, and in a chroot or a container without the device.
 */
static int userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int flags = O_CLOEXEC | O_NONBLOCK, device;
	int uffd = syscall(SYS_userfaultfd, flags);

	if (uffd < 0) {
		device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
		if (0 <= device) {
			uffd = ioctl(device, _IO(0xAA, 0x00), flags);	/* USERFAULTFD_IOC_NEW */
			close(device);
		}
	}
	if (uffd < 0)
		cannot("userfaultfd (be root, set vm.unprivileged_userfaultfd, or use /dev/userfaultfd)");
	if (ioctl(uffd, UFFDIO_API, &api))
		cannot("userfaultfd");
	return uffd;
}

