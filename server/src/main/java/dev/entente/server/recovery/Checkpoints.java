// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.recovery;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;

import dev.entente.engine.Node;
import dev.entente.engine.store.DamagedFile;
import dev.entente.engine.store.FileChecks;
import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * What a node was at moments, as folders beside its data: links to files that never change, so that
 * taking one costs next to nothing, and keeping it costs what has been rewritten since.
 * Thread-safe.
 */
public final class Checkpoints {
  private static final Logger LOG = System.getLogger(Checkpoints.class.getName());
  private static final DateTimeFormatter NAME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'.'SSS'Z'").withZone(ZoneOffset.UTC);
  private static final String UNFINISHED = ".unfinished";
  private static final String DAMAGED = ".damaged";

  /** So many stay however old they are by the clock, which may have jumped. */
  private static final int KEPT_MIN = 3;

  private final Node node;
  private final Path folder;
  private final Duration keep;
  private final int keepMax;

  /** One of them. */
  public record Checkpoint(String name, Instant at, Path directory) {}

  /**
   * @param folder where they are kept; on the disk of the data, or they are copies
   * @param keep how long each is kept
   * @param keepMax how many are kept at most, however new the others are; 0 for no bound
   */
  public Checkpoints(Node node, Path folder, Duration keep, int keepMax) {
    this.node = node;
    this.folder = folder;
    this.keep = keep;
    this.keepMax = keepMax;
  }

  /** Takes one. */
  public synchronized Checkpoint take() throws IOException {
    Folders.create(folder);
    Instant at = Instant.ofEpochMilli(node.nowMillis());
    String name = nameOf(at.toEpochMilli());
    Path begun = folder.resolve(name + UNFINISHED);
    Path directory = folder.resolve(name);
    if (Files.exists(directory)) {
      return new Checkpoint(name, at, directory);
    }
    node.checkpoint(begun);
    Folders.publish(begun, directory);
    return new Checkpoint(name, at, directory);
  }

  /** Those that there are, the latest first. */
  public List<Checkpoint> list() throws IOException {
    List<Checkpoint> found = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
        for (Path entry : entries) {
          String name = String.valueOf(entry.getFileName());
          momentOf(name).ifPresent(at -> found.add(new Checkpoint(name, at, entry)));
        }
      }
    }
    found.sort(Comparator.comparing(Checkpoint::at).reversed());
    return found;
  }

  /** How one of a moment is called. */
  public static String nameOf(long millis) {
    return NAME.format(Instant.ofEpochMilli(millis));
  }

  /** The moment that a folder is named after; empty where it is none of these. */
  private static Optional<Instant> momentOf(String name) {
    try {
      return Optional.of(Instant.from(NAME.parse(name)));
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  /**
   * Deletes those that are too old, save the latest, those beyond the number that is kept, and what
   * was begun and not finished. Those that are dated after now, by a clock that was ahead, count as
   * the oldest. None goes while this node's clock cannot be believed.
   */
  public synchronized int prune() throws IOException {
    Instant now = Instant.ofEpochMilli(node.nowMillis());
    Instant oldest = now.minus(keep);
    int gone = 0;
    List<Checkpoint> latestFirst = new ArrayList<>(node.clock().isPlausible() ? list() : List.of());
    latestFirst.sort(Comparator.comparing(checkpoint -> checkpoint.at().isAfter(now)));
    for (int i = 0; i < latestFirst.size(); i++) {
      Checkpoint checkpoint = latestFirst.get(i);
      boolean tooMany = keepMax > 0 && i >= keepMax;
      if (tooMany || (i >= KEPT_MIN && checkpoint.at().isBefore(oldest))) {
        Folders.delete(checkpoint.directory());
        gone++;
      }
    }
    if (Files.isDirectory(folder)) {
      // The store makes one under a longer name first.
      try (DirectoryStream<Path> begun = Files.newDirectoryStream(folder, "*" + UNFINISHED + "*")) {
        for (Path one : begun) {
          Folders.delete(one);
        }
      }
    }
    return gone;
  }

  /**
   * Compares the files of all checkpoints with their checksums, those that several share once, and
   * gives damaged checkpoints another name, under which they are neither listed nor removed.
   *
   * @param pace hears after each file how many bytes it had, and may wait
   * @return the checkpoints that were found damaged now
   */
  List<String> setDamagedAside(LongConsumer pace) throws IOException {
    FileChecks checks = new FileChecks();
    List<String> found = new ArrayList<>();
    for (Checkpoint checkpoint : list()) {
      try {
        List<DamagedFile> damaged = checks.directory(checkpoint.directory(), pace);
        if (!damaged.isEmpty()) {
          Files.move(
              checkpoint.directory(), folder.resolve(checkpoint.name() + DAMAGED), ATOMIC_MOVE);
          Folders.sync(folder);
          found.add(checkpoint.name() + ": " + damaged.getFirst());
        }
      } catch (NoSuchFileException e) {
        LOG.log(Level.DEBUG, "removed while it was checked: " + checkpoint.name(), e);
      }
    }
    return found;
  }

  /** The folders of checkpoints that were found damaged and are still there. */
  List<String> damaged() throws IOException {
    List<String> found = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, "*" + DAMAGED)) {
        entries.forEach(entry -> found.add(String.valueOf(entry.getFileName())));
      }
    }
    found.sort(null);
    return found;
  }

  /** Takes one and lets go of the old, as often as the schedule says. */
  public void turn() {
    try {
      take();
      prune();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
