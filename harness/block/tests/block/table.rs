//! Every kind of device holds what was written, and poison where nothing was.

use crate::world::{loop_refused, serve, simulated, spec, threads};
use block::{Bio, Buffer, Device, DeviceKind, DeviceSpec, OpenError, open, poison};
use std::sync::Arc;

/// A write of sectors of one value, or a look at some of them: one character a sector, a letter
/// for what was written there and `.` for poison.
enum Step {
    Write(u64, &'static str),
    See(u64, &'static str),
    Flush,
}
use Step::{Flush, See, Write};

const STEPS: &[Step] = &[
    See(0, "........"),
    Write(1, "ab"),
    See(0, ".ab....."),
    Write(2, "c"),
    See(0, ".ac....."),
    Flush,
    // Across the 64 KiB at which memory is cut, and the 32 KiB of one word of a map.
    Write(127, "xyz"),
    See(126, ".xyz."),
    Write(62, "stuv"),
    See(60, "..stuv.."),
    // Up to the last sector.
    Write(2040, "hgfedcba"),
    See(2038, "..hgfedcba"),
    See(0, ".ac....."),
];

/// The bytes of the picture at `sector`.
fn bytes(sector: u64, picture: &str) -> Vec<u8> {
    let mut bytes = vec![0; picture.len() * 512];
    poison(sector * 512, &mut bytes);
    for (sector, sign) in bytes.chunks_mut(512).zip(picture.bytes()) {
        if sign != b'.' {
            sector.fill(sign);
        }
    }
    bytes
}

fn walk(device: &Device) {
    for step in STEPS {
        match step {
            Write(sector, picture) => {
                let data = Buffer::from(bytes(*sector, picture).as_slice());
                let (_, result) = device.submit_wait(Bio::write(sector * 512, data, 1));
                assert_eq!(result, Ok(()));
            }
            See(sector, picture) => {
                let expected = bytes(*sector, picture);
                let bio = Bio::read(sector * 512, expected.len(), 1);
                let (bio, result) = device.submit_wait(bio);
                assert_eq!(result, Ok(()));
                assert!(*bio.data == *expected, "read of {picture} at {sector}");
                // Neither end of a peek is a sector's.
                let mut peeked = vec![0; expected.len() - 300];
                device.peek(sector * 512 + 99, &mut peeked).expect("the media can be read");
                assert!(peeked == expected[99..expected.len() - 201], "peek at {sector}");
            }
            Flush => assert_eq!(device.submit_wait(Bio::flush(1)).1, Ok(())),
        }
    }
}

fn check(kind: DeviceKind) -> Vec<Arc<Device>> {
    let devices: Vec<_> = (0..2).map(|_| open(&spec(kind)).expect("it can be had")).collect();
    serve(simulated(1), &devices[0], 1, walk);
    serve(threads(), &devices[1], 3, walk);
    for device in &devices {
        assert_eq!((device.size(), device.sector(), device.kind()), (1 << 20, 512, kind));
        assert_eq!(device.overlaps(), 0);
    }
    devices
}

#[test]
fn memory_holds_what_was_written() {
    assert_eq!(check(DeviceKind::Ram)[0].detail(), "ram");
}

#[test]
fn an_image_holds_what_was_written() {
    let detail = check(DeviceKind::Image)[0].detail().to_owned();
    assert!(detail.starts_with("image backing on /"), "{detail}");
}

#[test]
fn a_loop_device_holds_what_was_written_or_is_refused() {
    let Some(errno) = loop_refused() else {
        let detail = check(DeviceKind::Loop)[0].detail().to_owned();
        assert!(detail.starts_with("loop /dev/loop"), "{detail}");
        return;
    };
    assert_eq!(open(&spec(DeviceKind::Loop)).err(), Some(OpenError::LoopControl { errno }));
}

#[test]
fn auto_takes_memory_if_simulated_else_the_best_that_can_be_had() {
    let simulated = open(&spec(DeviceKind::Auto)).unwrap();
    assert_eq!(simulated.kind(), DeviceKind::Ram);
    assert_eq!(simulated.detail(), "ram: the world is simulated");
    let real = open(&DeviceSpec { simulated: false, ..spec(DeviceKind::Auto) }).unwrap();
    let best = if loop_refused().is_none() { DeviceKind::Loop } else { DeviceKind::Image };
    assert_eq!(real.kind(), best, "{}", real.detail());
}

#[test]
fn the_sector_follows_the_block_up_to_a_page_and_bad_shapes_are_errors() {
    let wish = |size, block_size| DeviceSpec { size, block_size, ..spec(DeviceKind::Ram) };
    for (block_size, sector) in [(512, 512), (1024, 1024), (4096, 4096), (65536, 4096)] {
        assert_eq!(open(&wish(1 << 20, block_size)).unwrap().sector(), sector);
    }
    for block_size in [0, 1, 256, 1000, 4095, 1 << 17, u64::MAX] {
        let error = open(&wish(1 << 20, block_size)).err();
        assert_eq!(error, Some(OpenError::BlockSize { block_size }));
    }
    for size in [0, 512, 4097, 1 << 63, u64::MAX] {
        let error = open(&wish(size, 8192)).err();
        assert_eq!(error, Some(OpenError::Size { size, sector: 4096 }));
    }
}

#[test]
fn a_size_that_no_directory_takes_names_every_directory() {
    let huge = DeviceSpec { size: 1 << 62, ..spec(DeviceKind::Image) };
    let Err(OpenError::Backing { tried, .. }) = open(&huge) else { panic!("4 EiB were given") };
    assert_eq!(tried.len(), 2, "{tried:?}");
}
