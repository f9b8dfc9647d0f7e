// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Conflict;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.NodeEvent;
import dev.entente.engine.Outcome;
import dev.entente.engine.Registry;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Logs each conflict in one line that begins with {@code CONFLICT}, for {@code grep}: when it is
 * met, and again when what became of it changes. Values are left out, since logs are kept elsewhere
 * and longer than records. Thread-safe.
 */
final class ConflictLog {
  private static final Logger LOG = System.getLogger(ConflictLog.class.getName());
  private static final int REMEMBERED_MAX = 10_000;

  /** What was logged last of each conflict, so that later writes do not repeat it. */
  private final Map<String, String> logged =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
          return size() > REMEMBERED_MAX;
        }
      };

  private final Consumer<String> lines;

  ConflictLog() {
    this(line -> LOG.log(Level.INFO, line));
  }

  /** One that gives its lines to somebody else than the log. */
  ConflictLog(Consumer<String> lines) {
    this.lines = lines;
  }

  void accept(NodeEvent event) {
    switch (event) {
      case NodeEvent.Answered(RecordKey key, Outcome.Accepted accepted, long _) ->
          log(key, accepted.resolutions());
      case NodeEvent.Met(RecordKey key, List<Resolution> resolutions) -> log(key, resolutions);
      case NodeEvent.Contended(RecordKey key, Resolution resolution) ->
          log(key, List.of(resolution));
      default -> {}
    }
  }

  private void log(RecordKey key, List<Resolution> resolutions) {
    if (!key.tenant().equals(Registry.TENANT)) {
      for (Resolution resolution : resolutions) {
        if (isNews(resolution)) {
          lines.accept(line(key, resolution));
        }
      }
    }
  }

  private synchronized boolean isNews(Resolution resolution) {
    String now = resolution.status().label() + resolution.strategy();
    return !now.equals(logged.put(resolution.conflict().id(), now));
  }

  /** The line; names are quoted as in JSON, so that none can look like two lines. */
  static String line(RecordKey key, Resolution resolution) {
    Conflict conflict = resolution.conflict();
    return "CONFLICT tenant="
        + Json.of(key.tenant())
        + " type="
        + Json.of(key.type())
        + " id="
        + Json.of(key.id())
        + " unit="
        + Json.of(conflict.label())
        + " conflict="
        + conflict.id()
        + " kind="
        + conflict.type().label()
        + " severity="
        + conflict.severity().label()
        + " status="
        + resolution.status().label()
        + " strategy="
        + Json.of(resolution.strategy());
  }
}
