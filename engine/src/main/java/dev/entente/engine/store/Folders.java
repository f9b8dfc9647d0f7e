// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Folders and files of a node. What it keeps is for whoever runs it alone, whatever the folder
 * around it allows; where the file system knows no such thing, it decides.
 */
public final class Folders {
  private static final boolean HAS_OWNERS =
      FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

  private Folders() {}

  private static FileAttribute<?>[] only(String mode) {
    return HAS_OWNERS
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode))
        }
        : new FileAttribute<?>[0];
  }

  /**
   * Makes a folder that its owner alone may look into, with those above it, so that they are there
   * whenever the power goes; or leaves it.
   */
  public static Path create(Path directory) throws IOException {
    if (Files.exists(directory)) {
      return directory;
    }
    Path above = directory.toAbsolutePath().getParent();
    if (above == null) {
      return Files.createDirectory(directory, only("rwx------"));
    }
    create(above);
    // Somebody else may make it at the same time, which is as good.
    Files.createDirectories(directory, only("rwx------"));
    if (Files.isReadable(above)) {
      sync(above);
    }
    return directory;
  }

  /**
   * Makes an empty file that its owner alone may read.
   *
   * @throws java.nio.file.FileAlreadyExistsException where it is there already
   */
  public static Path createFile(Path file) throws IOException {
    return Files.createFile(file, only("rw-------"));
  }

  /**
   * Has what was written to a file, or what was made, moved and removed in a folder, hold whenever
   * the power goes.
   */
  public static void sync(Path path) throws IOException {
    if (HAS_OWNERS) {
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  /**
   * Gives a file or a folder that is finished its name: whenever the power goes, what has that name
   * is there whole, or is not there.
   *
   * @throws java.nio.file.DirectoryNotEmptyException where a folder of that name holds something
   */
  public static void publish(Path finished, Path as) throws IOException {
    try (Stream<Path> files = Files.walk(finished)) {
      for (Path file : files.toList()) {
        sync(file);
      }
    }
    Files.move(finished, as, StandardCopyOption.ATOMIC_MOVE);
    sync(Objects.requireNonNull(as.toAbsolutePath().getParent()));
  }

  /** Removes a folder with all that is in it; nothing where there is none. */
  public static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.deleteIfExists(file);
      }
    }
  }
}
