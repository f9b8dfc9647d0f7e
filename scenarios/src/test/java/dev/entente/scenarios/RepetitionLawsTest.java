// SPDX-License-Identifier: Apache-2.0
package dev.entente.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.crdt.Splice;
import dev.entente.core.edit.Authoring;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.CellKind;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.CausalInbox;
import dev.entente.core.record.Change;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Origin;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Deriver;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Requests that are sent to several nodes which do not know of each other have one effect, the same
 * at every node, in whatever order their versions come.
 */
class RepetitionLawsTest {
  private static final RecordKey KEY = new RecordKey("main", "t", "r");
  private static final int NODES = 3;
  private static final Policy POLICY =
      Policy.builder("t")
          .field("count", CellKind.COUNTER)
          .field("tags", CellKind.SET)
          .field("body", CellKind.TEXT)
          .field("steps", CellKind.LIST)
          .fallback("manual-review")
          .build();

  /** What a client asks for; the same wherever it is sent. */
  private record Request(int id, Edit edit) {
    Origin origin() {
      return new Origin(new Fingerprint(1, 2, 3, 4), new Fingerprint(5, 6, 7, id));
    }
  }

  /** Clients, and nodes that now and then tell each other. */
  private static final class History {
    private final Random random;
    private final List<Version> versions = new ArrayList<>();
    private final List<CausalInbox> nodes = new ArrayList<>();
    private final List<Set<Integer>> answered = new ArrayList<>();
    private final List<Request> requests = new ArrayList<>();
    private final long[] clocks = new long[NODES];
    private final long[] numbers = new long[NODES];

    History(long seed, int steps) {
      random = new Random(seed);
      for (int i = 0; i < NODES; i++) {
        nodes.add(new CausalInbox(RecordState.EMPTY, 1_000, () -> Past.of(versions)));
        answered.add(new HashSet<>());
      }
      for (int step = 0; step < steps; step++) {
        int node = random.nextInt(NODES);
        if (random.nextInt(4) == 0) {
          hear(node, random.nextInt(NODES));
        } else {
          boolean again = !requests.isEmpty() && random.nextInt(2) == 0;
          if (!again) {
            requests.add(new Request(requests.size(), edit(requests.size())));
          }
          send(node, requests.get(again ? random.nextInt(requests.size()) : requests.size() - 1));
        }
      }
    }

    private void hear(int node, int from) {
      for (Version version : List.copyOf(versions)) {
        if (nodes.get(from).state().context().contains(version.dot())) {
          nodes.get(node).offer(version);
          clocks[node] = Math.max(clocks[node], version.acceptedAt().millis());
          version.eventId().map(Integer::valueOf).ifPresent(answered.get(node)::add);
        }
      }
    }

    private void send(int node, Request request) {
      if (!answered.get(node).add(request.id())) {
        return;
      }
      clocks[node] += 1 + random.nextInt(3);
      RecordState state = nodes.get(node).state();
      RecordState seen = random.nextInt(8) == 0 ? RecordState.EMPTY : state;
      try {
        List<Change> changes =
            Authoring.changes(
                seen, POLICY, "ann", Deriver.derive(KEY, seen, POLICY).data(), request.edit());
        if (!changes.isEmpty()) {
          NodeId id = new NodeId("n" + node);
          HybridTime now = HybridTime.ofMillis(clocks[node]);
          Version version =
              Version.builder(new Dot(id, ++numbers[node]), KEY)
                  .previous(state.context().get(id))
                  .context(CausalContext.of(seen.context()))
                  .acceptedAt(now)
                  .author("ann")
                  .eventId(Optional.of(String.valueOf(request.id())))
                  .changes(changes)
                  .origin(Optional.of(request.origin()))
                  .build();
          versions.add(version);
          assertThat(nodes.get(node).offer(version)).hasSize(1);
        }
      } catch (EditProblem e) {
        // Refused: there is nothing yet to edit there.
        answered.get(node).remove(request.id());
      }
    }

    private Edit edit(int id) {
      Json text = Json.of(mark(id));
      return switch (random.nextInt(7)) {
        case 0, 1 -> op(new Edit.Operation.Increment(Path.of("count"), 1L << (id % 60)));
        case 2 -> op(new Edit.Operation.EditSet(Path.of("tags"), List.of(text), List.of()));
        case 3 ->
            op(new Edit.Operation.Splice(Path.of("body"), new Splice(0, random.nextInt(2), text)));
        case 4 ->
            op(
                new Edit.Operation.Splice(
                    Path.of("steps"), new Splice(0, 0, Json.of(List.of(text)))));
        case 5 -> op(new Edit.Operation.Set(Path.of("note"), text));
        default -> new Edit.MergePatch(JsonObject.of("title", text).with("body", text));
      };
    }

    /** One character that no other request writes. */
    static String mark(int id) {
      return Character.toString('\u4e00' + id);
    }

    private static Edit op(Edit.Operation operation) {
      return new Edit.Operations(List.of(operation));
    }
  }

  private static byte[] bytes(RecordState state) {
    return StateCodec.toBytes(state);
  }

  @Test
  void everyOrderOfArrivalGivesTheSameBytesAsReplayingTheHistory() {
    int repeated = 0;
    for (long seed = 0; seed < 150; seed++) {
      History history = new History(seed, 30);
      RecordState all = Past.of(history.versions).replay();
      repeated += all.repetitions().earlier().size();
      assertThat(StateCodec.fromBytes(bytes(all))).as("codec, seed %d", seed).isEqualTo(all);
      Random random = new Random(seed);
      for (int round = 0; round < 4; round++) {
        List<Version> arriving = new ArrayList<>(history.versions);
        Collections.shuffle(arriving, random);
        List<Version> known = new ArrayList<>();
        CausalInbox inbox = new CausalInbox(RecordState.EMPTY, 1_000, () -> Past.of(known));
        for (Version version : arriving) {
          Version received = VersionCodec.fromBytes(VersionCodec.toBytes(version));
          assertThat(received).isEqualTo(version);
          known.add(received);
          inbox.offer(received);
          inbox.offer(received);
        }
        assertThat(inbox.held()).as("seed %d", seed).isEmpty();
        assertThat(inbox.state()).as("seed %d", seed).isEqualTo(all);
        assertThat(bytes(inbox.state())).as("seed %d", seed).isEqualTo(bytes(all));
      }
    }
    assertThat(repeated).isGreaterThan(150);
  }

  @Test
  void eachRequestCountsOnceWhereverItWasSent() {
    for (long seed = 0; seed < 150; seed++) {
      History history = new History(seed, 30);
      RecordState all = Past.of(history.versions).replay();
      long sum = 0;
      Set<String> counted = new HashSet<>();
      for (Version version : history.versions) {
        for (Change change : version.changes()) {
          if (change instanceof Change.Count count
              && counted.add(version.eventId().orElseThrow())) {
            sum += count.difference();
          }
        }
      }
      Json data = Deriver.derive(KEY, all, POLICY).data();
      if (data instanceof JsonObject record && !counted.isEmpty()) {
        assertThat(record.get("count")).as("seed %d", seed).isEqualTo(Json.of(sum));
      }
      String shown = String.valueOf(data);
      for (Request request : history.requests) {
        if (request.edit() instanceof Edit.Operations) {
          String mark = History.mark(request.id());
          assertThat(shown.split(mark, -1).length - 1)
              .as("seed %d, request %d in %s", seed, request.id(), shown)
              .isLessThanOrEqualTo(1);
        }
      }
    }
  }

  @Test
  void foldingTheBeginningOfAHistoryChangesNothingWhereItHoldsAllVersionsOfItsRequests() {
    for (long seed = 0; seed < 100; seed++) {
      History history = new History(seed, 30);
      RecordState all = Past.of(history.versions).replay();
      for (int cut = 0; cut < history.versions.size(); cut += 3) {
        List<Version> kept = history.versions.subList(cut, history.versions.size());
        List<Version> folded = history.versions.subList(0, cut);
        boolean whole =
            folded.stream()
                .map(version -> version.eventId().orElseThrow())
                .noneMatch(id -> kept.stream().anyMatch(v -> v.eventId().orElseThrow().equals(id)));
        if (whole) {
          RecordState base = Past.of(folded).folded();
          assertThat(bytes(new Past(base, kept).replay()))
              .as("seed %d, cut %d", seed, cut)
              .isEqualTo(bytes(all));
        }
      }
    }
  }
}
