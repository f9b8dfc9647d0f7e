// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The damaged end of a store's write-ahead log. A disk that fails in the middle of a write leaves
 * one with holes, which the store refuses to skip: from inside it looks like damage to what was
 * acknowledged. It is none where nothing whole comes after it, since the store writes nothing once
 * a write has failed. Looked at and cut while nothing has the store open.
 *
 * <p>The format is <a
 * href="https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format">RocksDB's</a>: blocks
 * of 32 KiB, in each of them pieces of records, each with its checksum, length and kind.
 *
 * @param file the log
 * @param whole up to where its records are whole, in bytes
 * @param size how long it is, in bytes
 * @param last whether nothing whole comes after that, in this log or a later one
 */
public record LogTail(Path file, long whole, long size, boolean last) {
  private static final int BLOCK = 32 << 10;
  private static final int HEADER = 7;

  /** What stands in a block at one place, by its checksum: a record or a piece of one. */
  private record Piece(Kind kind, int end) {
    private enum Kind {
      FULL,
      FIRST,
      MIDDLE,
      LAST
    }

    static @Nullable Piece at(ByteBuffer block, int offset) {
      if (block.limit() - offset < HEADER) {
        return null;
      }
      int kind = block.get(offset + 6);
      int end = offset + HEADER + Short.toUnsignedInt(block.getShort(offset + 4));
      if (kind < 1 || kind > Kind.values().length || end > block.limit()) {
        return null;
      }
      CRC32C sum = new CRC32C();
      sum.update(block.slice(offset + 6, end - offset - 6));
      int masked = Integer.rotateRight((int) sum.getValue(), 15) + 0xa282ead8;
      return block.getInt(offset) == masked ? new Piece(Kind.values()[kind - 1], end) : null;
    }

    boolean begins() {
      return kind == Kind.FULL || kind == Kind.FIRST;
    }

    boolean ends() {
      return kind == Kind.FULL || kind == Kind.LAST;
    }
  }

  /**
   * Looks for damage in the logs of a store.
   *
   * @return the first there is; empty where the logs are whole, or only end early
   */
  public static Optional<LogTail> find(Path store) throws IOException {
    List<Path> logs;
    try (Stream<Path> files = Files.list(store)) {
      logs =
          files
              .filter(file -> name(file).matches("\\d+\\.log"))
              .sorted(
                  Comparator.comparingLong(file -> Long.parseLong(name(file).replace(".log", ""))))
              .toList();
    }
    for (int i = 0; i < logs.size(); i++) {
      Optional<LogTail> damaged = read(logs.get(i));
      if (damaged.isPresent()) {
        boolean none = logs.subList(i + 1, logs.size()).stream().allMatch(LogTail::isEmpty);
        LogTail tail = damaged.get();
        return Optional.of(new LogTail(tail.file, tail.whole, tail.size, tail.last && none));
      }
    }
    return Optional.empty();
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  private static Path folder(Path log) {
    return Objects.requireNonNull(log.toAbsolutePath().getParent());
  }

  private static boolean isEmpty(Path log) {
    try {
      return Files.size(log) == 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Looks for damage in one log, or in a manifest, which has the same format. */
  static Optional<LogTail> read(Path file) throws IOException {
    try (FileChannel log = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = log.size();
      long whole = 0;
      boolean within = false;
      for (long at = 0; at < size; at += BLOCK) {
        ByteBuffer block = block(log, at);
        int offset = 0;
        while (offset < block.limit() && offset <= BLOCK - HEADER) {
          Piece piece = Piece.at(block, offset);
          if (piece == null && endsEarly(block, offset)) {
            return Optional.empty();
          }
          if (piece == null || piece.begins() == within) {
            boolean last = !anythingBegins(log, at, offset);
            return Optional.of(new LogTail(file, whole, size, last));
          }
          offset = piece.end();
          within = !piece.ends();
          whole = within ? whole : at + offset;
        }
      }
      return Optional.empty();
    }
  }

  private static ByteBuffer block(FileChannel log, long at) throws IOException {
    ByteBuffer block = ByteBuffer.allocate(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
    while (block.hasRemaining() && log.read(block, at + block.position()) > 0) {
      // Until the block is full or the log ends.
    }
    return block.flip();
  }

  /** Whether the log ends before what begins here does, as the store itself can tell. */
  private static boolean endsEarly(ByteBuffer block, int offset) {
    return block.limit() < BLOCK
        && (block.limit() - offset < HEADER
            || offset + HEADER + Short.toUnsignedInt(block.getShort(offset + 4)) > block.limit());
  }

  /**
   * Whether a record begins anywhere from a place on. Lengths are not to be trusted there, so every
   * place is tried; the other pieces may be of the record that is damaged.
   */
  private static boolean anythingBegins(FileChannel log, long at, int from) throws IOException {
    int offset = from;
    for (long next = at; next < log.size(); next += BLOCK) {
      ByteBuffer block = block(log, next);
      while (offset < block.limit()) {
        Piece piece = Piece.at(block, offset);
        if (piece != null && piece.begins()) {
          return true;
        }
        offset = piece == null ? offset + 1 : piece.end();
      }
      offset = 0;
    }
    return false;
  }

  /**
   * Cuts the damaged end off, after it was copied into a folder. The log is then as if the write
   * that failed had not begun.
   *
   * @return the copy
   * @throws IllegalStateException where something whole comes after, or something has the store
   *     open
   */
  public Path cut(Path into) throws IOException {
    if (!last) {
      throw new IllegalStateException("whole writes come after what is damaged in " + file);
    }
    Path lock = file.resolveSibling("LOCK");
    try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
        FileLock held = channel.tryLock()) {
      if (held == null) {
        throw new IllegalStateException("something has the store open: " + lock);
      }
      Path copy = Folders.create(into).resolve(name(file) + "." + whole);
      // Perhaps of a cut that was interrupted; the log is as it was then.
      Files.deleteIfExists(copy);
      Folders.createFile(copy);
      try (FileChannel log =
              FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
          FileChannel kept = FileChannel.open(copy, StandardOpenOption.WRITE)) {
        for (long done = whole; done < size; ) {
          done += log.transferTo(done, size - done, kept);
        }
        kept.force(true);
        Folders.sync(into);
        log.truncate(whole);
        log.force(true);
        RocksStore.acceptLoss(folder(file));
      }
      return copy;
    }
  }
}
