// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A disk of its own for a node: a file system on a loop device whose blocks are memory. It can be
 * full, fail to sync, and lose power: then what was not synced is gone, as a control file that
 * nobody synced shows. Needs root.
 */
final class LabDisk implements AutoCloseable {
  /** Of the file system: nothing reaches its device any more, what it had in hand is dropped. */
  private static final String SHUT_DOWN =
      "import fcntl,os,struct,sys;"
          + "fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587D,struct.pack('I',2))";

  /** Of the device: what lies behind so many bytes is not to be read or written; 0 for nothing. */
  private static final String LIMIT =
      "import fcntl,struct,sys;"
          + "f=open(sys.argv[1]);b=bytearray(232);fcntl.ioctl(f,0x4C05,b);"
          + "struct.pack_into('Q',b,32,int(sys.argv[2]));fcntl.ioctl(f,0x4C04,b)";

  private static final int BLOCK = 4_096;

  private final Path at;
  private final Path memory;

  LabDisk(Path at, int megabytes) throws IOException, InterruptedException {
    this.at = at;
    this.memory = at.resolveSibling(at.getFileName() + ".memory");
    Files.createDirectories(at);
    Files.createDirectories(memory);
    String room = "size=" + (megabytes + 32) + "m";
    Lab.run("mount", "-t", "tmpfs", "-o", room, "tmpfs", memory.toString());
    Lab.run("truncate", "-s", megabytes + "M", image().toString());
    Lab.run("mkfs.ext4", "-q", "-F", image().toString());
    // What the file system needs for itself can always be written; only data cannot.
    Lab.run("fallocate", "-l", megabytes + "M", image().toString());
    mount();
    Lab.run("fstrim", at.toString());
  }

  private Path image() {
    return memory.resolve("image");
  }

  private void mount() throws IOException, InterruptedException {
    Lab.run("mount", "-o", "loop,discard", image().toString(), at.toString());
  }

  Path at() {
    return at;
  }

  private static void fill(Path file) throws IOException, InterruptedException {
    new ProcessBuilder("dd", "if=/dev/zero", "of=" + file, "bs=64K", "oflag=append", "conv=notrunc")
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }

  /** There is no room any more; again, where somebody has let go of something since. */
  void fill() throws IOException, InterruptedException {
    fill(at.resolve("filled"));
  }

  void empty() throws IOException {
    Files.deleteIfExists(at.resolve("filled"));
  }

  /** What is not synced by now never will be; nothing can be written or synced any more. */
  void cutPower() throws IOException, InterruptedException {
    Files.write(at.resolve("control"), new byte[1 << 16]);
    Lab.run("python3", "-c", SHUT_DOWN, at.toString());
  }

  /**
   * Once nobody uses it any more: as it is after a power cut.
   *
   * @return whether what nobody had synced is gone; else the cut was none
   */
  boolean powerUp() throws IOException, InterruptedException {
    Lab.run("umount", at.toString());
    mount();
    Path control = at.resolve("control");
    boolean gone = !Files.exists(control) || Files.size(control) == 0;
    Files.deleteIfExists(control);
    return gone;
  }

  /** From here on blocks that were never written cannot be, and who syncs them is told. */
  void failSyncs() throws IOException, InterruptedException {
    fill(memory.resolve("filled"));
  }

  /** From here on a file, and what lies behind it on the disk, can be neither read nor written. */
  void failReads(Path file) throws IOException, InterruptedException {
    Lab.run("sync", "-f", at.toString());
    String extents = Lab.run("filefrag", "-v", "-b" + BLOCK, file.toString());
    Matcher first = Pattern.compile("0:\\s+0\\.\\.\\s*\\d+:\\s+(\\d+)\\.\\.").matcher(extents);
    if (!first.find()) {
      throw new IOException("where " + file + " lies is not in: " + extents);
    }
    limit(Long.parseLong(first.group(1)) * BLOCK);
    Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "3");
  }

  private void limit(long bytes) throws IOException, InterruptedException {
    String device = Lab.run("findmnt", "-no", "SOURCE", at.toString()).strip();
    Lab.run("python3", "-c", LIMIT, device, Long.toString(bytes));
  }

  /** Once nobody uses it any more: all blocks can be read and written, and fit together. */
  void mend() throws IOException, InterruptedException {
    Files.deleteIfExists(memory.resolve("filled"));
    limit(0);
    Lab.run("umount", at.toString());
    if (new ProcessBuilder("e2fsck", "-fy", image().toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor()
        > 2) {
      throw new IOException("the file system cannot be mended");
    }
    mount();
  }

  /** Why there can be no such disk here; empty where there can. */
  static Optional<String> whyNot() {
    if (!"root".equals(System.getProperty("user.name"))) {
      return Optional.of("only root can make disks");
    }
    for (String tool :
        List.of(
            "mkfs.ext4 -V",
            "python3 --version",
            "losetup --find",
            "fstrim --version",
            "filefrag -V")) {
      if (Lab.quietly(tool.split(" ")) != null) {
        return Optional.of("not to be had here: " + tool);
      }
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    Lab.quietly("umount", "-l", at.toString());
    Lab.quietly("umount", "-l", memory.toString());
  }
}
