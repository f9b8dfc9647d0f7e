// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonPrinter;
import dev.entente.core.record.Version;
import dev.entente.engine.ChangeFeed;
import dev.entente.engine.ChangeFeed.Page;
import dev.entente.engine.Describe;
import dev.entente.engine.FeedCursor;
import dev.entente.engine.FeedGapException;
import dev.entente.engine.Node;
import dev.entente.engine.Snapshot;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Permission;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The feed of changes and the live stream of conflicts, as JSON lines or server-sent events. */
final class FeedRoutes {
  /** How often a quiet stream is heard of; and how soon one ends whose token was revoked. */
  private static final long HEARTBEAT_MILLIS = 4_000;

  private final Node node;
  private final RecentConflicts conflicts;
  private final Streams streams = new Streams(Limits.STREAMS_MAX);

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
    Cursors cursors = Cursors.of(call, "changes");
    FeedCursor from = from(call, cursors);
    boolean withData = call.query("include").filter("data"::equals).isPresent();
    if (wantsEvents(call)) {
      var _ = read(call, from, 1);
      return events(call, out -> streamChanges(out, call, cursors, from, withData));
    }
    long wait = waitMillis(call);
    Page page = read(call, from, call.limit());
    if (wait == 0 || !page.entries().isEmpty()) {
      return changes(call, cursors, page, 0, withData);
    }
    // Who waits holds a thread as a stream does, and takes from the same share.
    return streams.within(
        call.tenant(), call.caller().name(), () -> changes(call, cursors, page, wait, withData));
  }

  private Reply changes(Call call, Cursors cursors, Page first, long waitMillis, boolean withData) {
    Page page = first;
    long deadline = System.nanoTime() + waitMillis * 1_000_000;
    boolean gap = page.gap();
    try {
      while (page.entries().isEmpty() && System.nanoTime() < deadline) {
        if (page.complete()) {
          node.awaitVisible(
              page.cursor().position(), Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
        }
        page = read(call, page.cursor(), call.limit());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    StringBuilder lines = new StringBuilder();
    for (ChangeFeed.Entry entry : page.entries()) {
      if (isSeen(call, entry)) {
        JsonPrinter.print(line(entry, cursors, withData), lines);
        lines.append('\n');
      }
    }
    Reply reply =
        Reply.text(200, "application/jsonl", lines.toString())
            .with("Entente-Cursor", cursors.next(page.cursor().toBytes()));
    return gap ? reply.with("Entente-Pruned", "true") : reply;
  }

  /** Where the reader goes on: where its cursor says, or at the beginning without one. */
  private FeedCursor from(Call call, Cursors cursors) {
    Optional<String> given = call.query("since").or(() -> call.header("last-event-id"));
    if (given.isEmpty()) {
      return node.feed().begin(call.tenant());
    }
    try {
      return FeedCursor.fromBytes(cursors.place(given.get()));
    } catch (DamagedException | IllegalArgumentException e) {
      throw new Problem(Code.MALFORMED, "the cursor is not one that was given out");
    }
  }

  private Page read(Call call, FeedCursor from, int limit) {
    try {
      return node.feed().read(call.tenant(), from, limit);
    } catch (FeedGapException e) {
      throw new Problem(Code.GONE, String.valueOf(e.getMessage()));
    }
  }

  /** Whether the caller may read what a version is of. */
  private static boolean isSeen(Call call, ChangeFeed.Entry entry) {
    return call.may(Permission.READ, entry.version().key().type());
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

  private Json line(ChangeFeed.Entry entry, Cursors cursors, boolean withData) {
    Version version = entry.version();
    Map<String, Json> members = new TreeMap<>();
    members.put("cursor", Json.of(cursors.next(entry.cursor().toBytes())));
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

  private Reply events(Call call, Reply.Stream stream) {
    String tenant = call.tenant();
    String caller = call.caller().name();
    streams.open(tenant, caller);
    return Reply.stream(
        "text/event-stream",
        out -> {
          try {
            stream.writeTo(out);
          } finally {
            streams.closed(tenant, caller);
          }
        });
  }

  private void streamChanges(
      OutputStream out, Call call, Cursors cursors, FeedCursor from, boolean withData)
      throws IOException, InterruptedException {
    FeedCursor cursor = from;
    event(out, ": connected");
    while (goesOn(call)) {
      Page page;
      try {
        page = read(call, cursor, Limits.PAGE_MAX);
      } catch (Problem problem) {
        event(out, "event: error\ndata: " + problem.toJson());
        return;
      }
      for (ChangeFeed.Entry entry : page.entries()) {
        if (isSeen(call, entry)) {
          String id = cursors.next(entry.cursor().toBytes());
          event(out, "id: " + id + "\nevent: change\ndata: " + line(entry, cursors, withData));
        }
      }
      cursor = page.cursor();
      if (page.complete()) {
        node.awaitVisible(cursor.position(), HEARTBEAT_MILLIS);
        if (node.visiblePosition() == cursor.position()) {
          event(out, ": still here");
        }
      }
    }
  }

  private Reply conflicts(Call call) {
    String tenant = call.tenant();
    if (wantsEvents(call)) {
      return events(call, out -> streamConflicts(out, call));
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
