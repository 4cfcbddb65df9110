//! The filesystem under test: the XFS/iomap buffered write path, re-modelled.
//!
//! | here               | in the kernel                                            |
//! |--------------------|----------------------------------------------------------|
//! | `syscall`          | `fs/read_write.c`, `fs/xfs/xfs_file.c`                   |
//! | `buffered_write`   | `iomap_file_buffered_write` in `fs/iomap/buffered-io.c`  |
//! | `write_cleanup`    | `xfs_buffered_write_iomap_end`, `iomap_write_delalloc_release` |
//! | `buffered_read`    | `filemap_read`, `iomap_read_folio`                       |
//! | `page_fault`       | `filemap_fault`, `iomap_page_mkwrite`                    |
//! | `extend`           | `xfs_file_write_checks`, `pagecache_isize_extended`      |
//! | `zero_range`       | `iomap_zero_range`                                       |
//! | `truncate`         | `xfs_setattr_size`, `mm/truncate.c`                      |
//! | `fallocate`        | `xfs_free_file_space`, `xfs_alloc_file_space`            |
//! | `writeback`        | `iomap_writepages`, `xfs_map_blocks` in `fs/xfs/xfs_aops.c` |
//! | `ioend`            | `fs/iomap/ioend.c`, `xfs_end_ioend`                      |
//! | `reclaim`          | `mm/vmscan.c`                                            |
//! | `prealloc`         | `xfs_iomap_prealloc_size`, `xfs_free_eofblocks`          |
//! | `delalloc`         | `xfs_bmapi_convert_delalloc`                             |
//! | `iomap`            | `struct iomap`, `fs/xfs/xfs_iomap.c`                     |
//! | `page_cache`, `folio`, `page_table` | `mm/filemap.c`, `struct folio`, `mm/rmap.c` |
//! | `extent_map`, `space` | `libxfs/xfs_bmap.c`, `libxfs/xfs_alloc.c`             |
//!
//! A file uses only files that stand before it in the list below; a test reads that list.

pub mod quantity;
pub mod errno;
pub mod op;
pub mod points;
pub mod locks;
pub mod choices;
pub mod presets;
pub mod rules;
mod range_lock;
pub mod space;
pub mod extent_map;
pub mod block_bits;
pub mod folio;
pub mod page_cache;
pub mod page_table;
pub mod uaccess;
pub mod iomap;
pub mod witness;
pub mod view;
pub mod inode;
mod prealloc;
mod write_lock;
mod delalloc;
mod buffered_read;
mod ioend;
mod writeback;
mod truncate;
mod zero_range;
mod extend;
mod write_cleanup;
mod buffered_write;
mod page_fault;
pub mod mmap;
mod fallocate;
mod reclaim;
mod fsync;
pub mod filesystem;
pub mod syscall;
pub mod damage;

pub use filesystem::{Filesystem, Options};
