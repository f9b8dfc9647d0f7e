// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonPrinter;
import dev.entente.core.record.Version;
import dev.entente.engine.Describe;
import dev.entente.engine.Feed;
import dev.entente.engine.Node;
import dev.entente.engine.Snapshot;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Permission;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;

/** The feed of changes and the live stream of conflicts, as JSON lines or server-sent events. */
final class FeedRoutes {
  /** How often a quiet stream is heard of; and how soon one ends whose token was revoked. */
  private static final long HEARTBEAT_MILLIS = 4_000;

  private final Node node;
  private final RecentConflicts conflicts;
  private final Semaphore streams = new Semaphore(Limits.STREAMS_MAX);

  FeedRoutes(Node node, RecentConflicts conflicts) {
    this.node = node;
    this.conflicts = conflicts;
  }

  void addTo(Route.Table routes) {
    routes
        .some(Permission.READ, "GET", "/v1/{tenant}/changes", this::changes)
        .some(Permission.READ, "GET", "/v1/{tenant}/conflicts", this::conflicts);
  }

  private static boolean wantsEvents(Call call) {
    return call.header("accept").orElse("").contains("text/event-stream");
  }

  private Reply changes(Call call) {
    String tenant = call.tenant();
    long since =
        call.query("since")
            .or(() -> call.header("last-event-id"))
            .map(Cursors::position)
            .orElse(0L);
    if (since > node.position()) {
      throw new Problem(Code.MALFORMED, "the cursor lies beyond this node's log");
    }
    boolean withData = call.query("include").filter("data"::equals).isPresent();
    if (wantsEvents(call)) {
      return events(out -> streamChanges(out, call, since, withData));
    }
    int limit = call.limit();
    long waitMillis = waitMillis(call);
    long deadline = System.nanoTime() + waitMillis * 1_000_000;
    List<Feed> versions = node.changes(tenant, since, limit);
    try {
      long behind = node.position();
      while (versions.isEmpty() && System.nanoTime() < deadline) {
        node.awaitBehind(behind, Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
        behind = node.position();
        versions = node.changes(tenant, since, limit);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    StringBuilder lines = new StringBuilder();
    versions.stream()
        .filter(one -> isSeen(call, one))
        .forEach(one ->
            JsonPrinter.print(line(one, withData), lines.append(lines.isEmpty() ? "" : "\n")));
    String cursor = Cursors.of(versions.isEmpty() ? since : versions.getLast().position());
    Reply reply =
        Reply.text(200, "application/jsonl", lines.isEmpty() ? "" : lines.append('\n').toString())
            .with("Entente-Cursor", cursor);
    return since < node.prunedUpTo(tenant) ? reply.with("Entente-Pruned", "true") : reply;
  }

  /** Whether the caller may read what a version is of. */
  private static boolean isSeen(Call call, Feed one) {
    return call.may(Permission.READ, one.version().key().type());
  }

  private static long waitMillis(Call call) {
    String wait = call.query("wait").orElse("0s");
    if (!wait.matches("[0-9]{1,3}s?")) {
      throw new Problem(Code.INVALID, "wait takes seconds, such as 30s");
    }
    long seconds = Long.parseLong(wait.replace("s", ""));
    if (seconds > Limits.WAIT_SECONDS_MAX) {
      throw new Problem(Code.INVALID, "wait is at most " + Limits.WAIT_SECONDS_MAX + "s");
    }
    return seconds * 1000;
  }

  private Json line(Feed one, boolean withData) {
    Version version = one.version();
    Map<String, Json> members = new TreeMap<>();
    members.put("cursor", Json.of(Cursors.of(one.position())));
    members.put("type", Json.of(version.key().type()));
    members.put("id", Json.of(version.key().id()));
    members.put("author", Json.of(version.author()));
    members.put("acceptedAt", Describe.time(version.acceptedAt()));
    members.put(
        "units",
        Json.of(version.changes().stream().map(change -> Json.of(change.unit().label())).toList()));
    version.eventId().ifPresent(id -> members.put("eventId", Json.of(id)));
    if (withData) {
      Snapshot now = node.read(version.key());
      members.put("data", Describe.orNull(now.view().data()));
      members.put("context", Json.of(now.token()));
    }
    return JsonObject.of(members);
  }

  private Reply events(Reply.Stream stream) {
    if (!streams.tryAcquire()) {
      throw new Problem(Code.TOO_FAST, "more than " + Limits.STREAMS_MAX + " streams are open");
    }
    return Reply.stream(
        "text/event-stream",
        out -> {
          try {
            stream.writeTo(out);
          } finally {
            streams.release();
          }
        });
  }

  private void streamChanges(OutputStream out, Call call, long from, boolean withData)
      throws IOException, InterruptedException {
    long since = from;
    event(out, ": connected");
    while (goesOn(call)) {
      long behind = node.position();
      List<Feed> versions = node.changes(call.tenant(), since, Limits.PAGE_MAX);
      for (Feed one : versions) {
        since = one.position();
        if (isSeen(call, one)) {
          event(out, "id: " + Cursors.of(since) + "\nevent: change\ndata: " + line(one, withData));
        }
      }
      if (versions.isEmpty()) {
        node.awaitBehind(behind, HEARTBEAT_MILLIS);
        if (node.position() == behind) {
          event(out, ": still here");
        }
      }
    }
  }

  private Reply conflicts(Call call) {
    String tenant = call.tenant();
    if (wantsEvents(call)) {
      return events(out -> streamConflicts(out, call));
    }
    try {
      List<Json> bodies =
          conflicts.after(tenant, 0, 0).reversed().stream()
              .filter(entry -> call.may(Permission.READ, entry.type()))
              .limit(call.limit())
              .map(RecentConflicts.Entry::body)
              .toList();
      return Reply.json(200, JsonObject.of("conflicts", Json.of(bodies)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Code.UNAVAILABLE, "the node is stopping");
    }
  }

  private void streamConflicts(OutputStream out, Call call)
      throws IOException, InterruptedException {
    long number = 0;
    event(out, ": connected");
    while (goesOn(call)) {
      List<RecentConflicts.Entry> entries =
          conflicts.after(call.tenant(), number, HEARTBEAT_MILLIS);
      for (RecentConflicts.Entry entry : entries) {
        number = entry.number();
        if (call.may(Permission.READ, entry.type())) {
          event(out, "event: conflict\ndata: " + entry.body());
        }
      }
      if (entries.isEmpty()) {
        event(out, ": still here");
      }
    }
  }

  /** Whether a stream goes on: the node runs, and whoever listens may still do so. */
  private boolean goesOn(Call call) {
    return node.failure().isEmpty() && call.holds();
  }

  private static void event(OutputStream out, String text) throws IOException {
    out.write((text + "\n\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }
}
