/* A descriptor for calls past the page cache. */
static int directly(int file)
{
	int direct = open(path[file], O_RDWR | O_DIRECT | O_CLOEXEC);

	if (direct < 0)
		cannot("O_DIRECT is not supported here");
	return direct;
}

