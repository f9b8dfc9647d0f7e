// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.engine.Bootstrap;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Verification;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import me.tongfei.progressbar.ProgressBar;

/**
 * Makes a data directory out of a checkpoint or a backup, which may come from anywhere: it is
 * copied, opened and verified beside its place, and takes its place whole or not at all. Where it
 * is refused, nothing that was made is left behind.
 */
final class NodeRestore {
  private NodeRestore() {}

  /**
   * Restores.
   *
   * @param source a checkpoint's folder or a backup's file
   * @param target the data directory; it has no store yet
   * @param passphrase of a sealed backup
   * @return what was verified
   * @throws IOException where the source is damaged, or cannot be read
   */
  static Verification into(Path source, Path target, Optional<String> passphrase)
      throws IOException {
    Path store = target.resolve("store");
    if (Files.exists(store, LinkOption.NOFOLLOW_LINKS)) {
      throw new IllegalArgumentException(store + " is there already; restore into a new directory");
    }
    Path begun = target.resolve("store.unfinished");
    List<Path> made = missing(target);
    Folders.delete(begun);
    boolean done = false;
    try {
      Folders.create(target);
      Verification found = restored(source, begun, passphrase);
      Folders.publish(begun, store);
      done = true;
      return found;
    } finally {
      if (!done) {
        Folders.delete(begun);
        remove(made);
      }
    }
  }

  /** The folders on the way to one that are not there, the deepest first. */
  private static List<Path> missing(Path directory) {
    List<Path> missing = new ArrayList<>();
    for (Path at = directory.toAbsolutePath().normalize();
        at != null && !Files.exists(at, LinkOption.NOFOLLOW_LINKS);
        at = at.getParent()) {
      missing.add(at);
    }
    return missing;
  }

  /** Removes folders, the deepest first, up to one into which somebody put something meanwhile. */
  private static void remove(List<Path> deepestFirst) throws IOException {
    for (Path directory : deepestFirst) {
      try {
        Files.deleteIfExists(directory);
      } catch (DirectoryNotEmptyException e) {
        return;
      }
    }
  }

  private static Verification restored(Path source, Path begun, Optional<String> passphrase)
      throws IOException {
    NodeConfig config = NodeConfig.DEFAULT.withFreshIncarnation();
    Verification found;
    if (Files.isDirectory(source)) {
      copy(source, begun);
      found = verified(begun, config, true);
    } else {
      try (InputStream in = BackupFile.open(source, passphrase);
          ProgressBar bar = Progress.bar("restoring", -1);
          RocksStore empty = RocksStore.open(begun)) {
        Bootstrap.restore(in, empty, config, bar::stepTo);
      }
      found = verified(begun, config, false);
    }
    if (found.broken().isPresent()) {
      String damage = source + " is damaged: " + found.broken().get();
      throw new IOException(damage + "; take another checkpoint or backup");
    }
    return found;
  }

  /** Copies the files of a checkpoint; a link or folder among them is none of a checkpoint's. */
  private static void copy(Path source, Path target) throws IOException {
    Folders.create(target);
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          throw new IOException(
              file + " is no file, so " + source + " is no checkpoint as a node made it");
        }
        Files.copy(
            file, target.resolve(String.valueOf(file.getFileName())), LinkOption.NOFOLLOW_LINKS);
      }
    }
  }

  /** Opens what was restored once, under its next incarnation where it has none yet. */
  private static Verification verified(Path store, NodeConfig config, boolean asBefore)
      throws IOException {
    RocksStore opened = RocksStore.open(store);
    if (asBefore && Node.renew(opened, config).isEmpty()) {
      opened.close();
      throw new IOException("no node's data is there, so it is no checkpoint");
    }
    try (Node node = Node.open(opened, config);
        ProgressBar bar = Progress.bar("checking", -1)) {
      return node.verify(bar::stepTo);
    }
  }
}
