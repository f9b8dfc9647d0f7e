// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * A small file that says how far a store must reach: the sequence number of the last acknowledged
 * commit, and the manifest that was current then with its size. RocksDB treats a write-ahead log or
 * a manifest that ends early as a write that was interrupted, and cannot know that the missing part
 * was acknowledged; this file does.
 *
 * <p>It is overwritten after each synced commit and before the acknowledgement, without a sync of
 * its own: a killed process leaves it exact, a power failure may leave an older mark, which is a
 * lower bound and never too high. A mark that cannot be read is replaced, since nothing is lost
 * with it alone. Not thread-safe.
 */
final class AcknowledgedMark implements AutoCloseable {
  static final String NAME = "ACKNOWLEDGED";

  private static final int MAGIC = 0x45414b31;
  private static final int BYTES = 32;
  private static final String MANIFEST = "MANIFEST-";

  /** What the file says. */
  record Reach(long sequence, long manifest, long manifestBytes) {
    byte[] toBytes() {
      ByteBuffer out = ByteBuffer.allocate(BYTES).putInt(MAGIC);
      out.putLong(sequence).putLong(manifest).putLong(manifestBytes);
      return out.putInt(checksum(out.array())).array();
    }
  }

  private final Path directory;
  private final RandomAccessFile file;
  private long manifest;
  private File manifestFile;

  private AcknowledgedMark(Path directory, RandomAccessFile file, long manifest) {
    this.directory = directory;
    this.file = file;
    this.manifest = manifest;
    this.manifestFile = manifestFile(directory, manifest).toFile();
  }

  /** What a directory's mark says; empty where there is none, or none that can be read. */
  static Optional<Reach> read(Path directory) throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(directory.resolve(NAME));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    if (bytes.length != BYTES) {
      return Optional.empty();
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    if (in.getInt() != MAGIC || in.getInt(BYTES - Integer.BYTES) != checksum(bytes)) {
      return Optional.empty();
    }
    return Optional.of(new Reach(in.getLong(), in.getLong(), in.getLong()));
  }

  private static int checksum(byte[] bytes) {
    CRC32C sum = new CRC32C();
    sum.update(bytes, 0, BYTES - Integer.BYTES);
    return (int) sum.getValue();
  }

  /** The number of the manifest that a store begins with; -1 where that cannot be told. */
  private static long manifest(Path directory) throws IOException {
    try {
      String current =
          Files.readString(directory.resolve("CURRENT"), StandardCharsets.ISO_8859_1).strip();
      return current.startsWith(MANIFEST)
          ? Long.parseLong(current.substring(MANIFEST.length()))
          : -1;
    } catch (NoSuchFileException | NumberFormatException e) {
      return -1;
    }
  }

  private static Path manifestFile(Path directory, long number) {
    return directory.resolve("%s%06d".formatted(MANIFEST, number));
  }

  /**
   * Whether the manifest is shorter, or an older one, than it was when a commit was acknowledged.
   * Asked before the store is opened, which writes a new one.
   */
  static boolean isManifestCut(Path directory, Reach reach) throws IOException {
    long now = manifest(directory);
    Path file = manifestFile(directory, now);
    return now >= 0
        && (now < reach.manifest()
            || (now == reach.manifest()
                && Files.exists(file)
                && Files.size(file) < reach.manifestBytes()));
  }

  /** Begins a mark, in place of the one that there is, for a store that reaches up to here. */
  static AcknowledgedMark begin(Path directory, long sequence) throws IOException {
    Path path = directory.resolve(NAME);
    if (!Files.exists(path)) {
      Folders.createFile(path);
    }
    RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
    try {
      AcknowledgedMark mark = new AcknowledgedMark(directory, file, manifest(directory));
      file.setLength(BYTES);
      mark.write(sequence);
      return mark;
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  /** Says that all up to a sequence number is synced. */
  void write(long sequence) throws IOException {
    long bytes = manifestBytes();
    ByteBuffer mark = ByteBuffer.wrap(new Reach(sequence, manifest, bytes).toBytes());
    int written = file.getChannel().write(mark, 0);
    if (written != BYTES) {
      throw new IOException("only " + written + " bytes of " + NAME + " could be written");
    }
  }

  private long manifestBytes() throws IOException {
    long bytes = manifestFile.length();
    if (bytes == 0) {
      // Replaced by a new one, as happens once it has grown large.
      manifest = manifest(directory);
      manifestFile = manifestFile(directory, manifest).toFile();
      bytes = manifestFile.length();
    }
    return bytes;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
