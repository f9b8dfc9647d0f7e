// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.recovery;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Node;
import dev.entente.engine.store.DamagedFile;
import dev.entente.engine.store.DamagedStoreException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;

/**
 * Compares all that a node keeps on its disk with its checksums, from time to time, when somebody
 * asks, and as soon as a read has met damage. What the store could write again from memory is told;
 * any other damage in a table stops the node, which is repaired when it is opened again ({@link
 * dev.entente.engine.StoreRepair}). A damaged checkpoint is set aside. Thread-safe.
 */
public final class Scrubber {
  private static final Logger LOG = System.getLogger(Scrubber.class.getName());
  private static final String LAST = "scrubbed-at";

  /**
   * How often and how fast.
   *
   * @param every zero for only when somebody asks, or a read has met damage
   * @param bytesPerSecond how much is read in a second at most
   */
  public record Pace(Duration every, long bytesPerSecond) {
    /** Once a day, 16 MiB a second. */
    public static final Pace DEFAULT = new Pace(Duration.ofDays(1), 16L << 20);

    public Pace {
      if (every.isNegative() || bytesPerSecond < 1) {
        throw new IllegalArgumentException("a scrub reads at least one byte a second");
      }
    }
  }

  private final Node node;
  private final Optional<Checkpoints> checkpoints;
  private final Pace pace;
  private boolean asked;
  private boolean running;
  private long bytes;
  private long startedMillis;
  private long lastBytes;
  private List<DamagedFile> damaged = List.of();
  private List<String> setAside = List.of();

  public Scrubber(Node node, Optional<Checkpoints> checkpoints, Pace pace) {
    this.node = node;
    this.checkpoints = checkpoints;
    this.pace = pace;
  }

  /** Has the next {@link #turn} begin a pass, whatever the time. */
  public synchronized void ask() {
    asked = true;
  }

  private long lastMillis() {
    return node.kept(LAST).map(kept -> new ByteReader(kept).u64()).orElse(0L);
  }

  private synchronized boolean begins() {
    long now = node.nowMillis();
    long last = lastMillis();
    // A last pass in the future says only that the clock was wrong then.
    boolean due =
        pace.every().isPositive() && (last > now || now - last >= pace.every().toMillis());
    if (!due && !asked && !node.hasMetDamage()) {
      return false;
    }
    asked = false;
    running = true;
    bytes = 0;
    startedMillis = now;
    return true;
  }

  /** Makes a pass where one is due. On a thread that may wait; by one at a time. */
  public void turn() throws InterruptedException {
    boolean hurry = node.hasMetDamage();
    if (!begins()) {
      return;
    }
    try {
      List<DamagedFile> found = node.scrub(size -> took(size, hurry));
      List<String> aside = checkpoints(hurry);
      node.keep(LAST, new ByteWriter().u64(node.nowMillis()).toBytes()).join();
      ended(found, aside);
      tell(found, aside);
    } catch (CancellationException e) {
      throw new InterruptedException(e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      synchronized (this) {
        running = false;
      }
    }
  }

  private List<String> checkpoints(boolean hurry) throws IOException {
    return checkpoints.isEmpty()
        ? List.of()
        : checkpoints.get().setDamagedAside(size -> took(size, hurry));
  }

  /** Waits for as long as the pace asks. */
  private void took(long size, boolean hurry) {
    synchronized (this) {
      bytes += size;
    }
    try {
      Thread.sleep(hurry ? 0 : size * 1_000 / pace.bytesPerSecond());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("the node is stopping");
    }
  }

  private synchronized void ended(List<DamagedFile> found, List<String> aside) {
    lastBytes = bytes;
    damaged = List.copyOf(found);
    setAside = List.copyOf(aside);
  }

  private void tell(List<DamagedFile> found, List<String> aside) {
    for (DamagedFile file : found) {
      LOG.log(Level.ERROR, "DAMAGED FILE: " + file + (file.repaired() ? "; written again" : ""));
    }
    if (found.isEmpty() && aside.isEmpty()) {
      return;
    }
    node.account("damage", node.id().value(), JsonObject.of(result(found, aside))).join();
    found.stream()
        .filter(file -> !file.repaired() && file.table().isPresent())
        .findFirst()
        .ifPresent(file ->
            node.stop(
                new DamagedStoreException(
                    "a file of the store is damaged: "
                        + file
                        + "; the node stops, and what is damaged is repaired when it is opened"
                        + " again, where it can be")));
  }

  private static Map<String, Json> result(List<DamagedFile> found, List<String> aside) {
    List<Json> files = new ArrayList<>();
    for (DamagedFile file : found) {
      files.add(
          Json.of(Map.of("file", Json.of(file.toString()), "repaired", Json.of(file.repaired()))));
    }
    Map<String, Json> members = new TreeMap<>();
    members.put("damaged", Json.of(files));
    members.put("checkpointsSetAside", Json.of(aside.stream().map(Json::of).toList()));
    return members;
  }

  /** Files that are damaged and that the store could not write again. */
  public synchronized List<DamagedFile> damaged() {
    return damaged.stream().filter(file -> !file.repaired()).toList();
  }

  /** Checkpoints that are damaged, by name. */
  public List<String> damagedCheckpoints() {
    try {
      return checkpoints.isEmpty() ? List.of() : checkpoints.get().damaged();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** How many bytes the pass that runs, or else the last, has read. */
  public synchronized long bytes() {
    return running ? bytes : lastBytes;
  }

  /** When the last pass ended, in milliseconds since 1970; 0 where there was none. */
  public long endedMillis() {
    return lastMillis();
  }

  /** Where it stands, as the API shows it. */
  public synchronized JsonObject toJson() {
    Map<String, Json> members = result(damaged, setAside);
    members.put("running", Json.of(running));
    members.put("bytes", Json.of(bytes()));
    members.put("everySeconds", Json.of(pace.every().toSeconds()));
    members.put("bytesPerSecond", Json.of(pace.bytesPerSecond()));
    if (running) {
      members.put("startedAt", Json.of(Instant.ofEpochMilli(startedMillis).toString()));
    }
    long last = lastMillis();
    if (last > 0) {
      members.put("lastPassAt", Json.of(Instant.ofEpochMilli(last).toString()));
    }
    return JsonObject.of(members);
  }
}
