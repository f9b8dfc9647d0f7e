// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Outcome.Accepted;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients of one node that go on from old contexts, in random histories. */
class AgreedHistoryTest {
  private record Written(CausalContext context, Json value) {}

  private final Map<Dot, Written> written = new LinkedHashMap<>();

  /** Works out from all that was written what the authors of competing values had read last. */
  private List<Json> agreed(List<Dot> competing) {
    List<Dot> known = new ArrayList<>(written.keySet());
    for (Dot dot : competing) {
      CausalContext seen = written.get(dot).context().with(List.of(dot));
      known.removeIf(other -> !seen.contains(other));
    }
    List<Json> newest =
        known.stream()
            .filter(dot -> known.stream().noneMatch(o -> written.get(o).context().contains(dot)))
            .map(dot -> written.get(dot).value())
            .toList();
    return newest.isEmpty() ? List.of(JsonAbsent.ABSENT) : newest;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void pendingFieldShowsWhatAllHadReadLast(int authors) throws Exception {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("here"))) {
      node.putPolicy("main", "type: t\ndefault: manual-review\n", "op").join();
      for (int seed = 0; seed < 40; seed++) {
        written.clear();
        run(node, new Random(seed * 104_729L), authors, "seed " + seed);
      }
    }
  }

  private void run(Node node, Random random, int authors, String seed) {
    RecordKey key = new RecordKey("main", "t", seed);
    // What each device read last; what it wrote since is known to the node.
    VersionVector[] read = new VersionVector[3];
    for (int step = 0; step < 14; step++) {
      int device = random.nextInt(read.length);
      if (step > 0 && (read[device] == null || random.nextInt(4) == 0)) {
        read[device] = node.read(key).state().context();
      } else if (step == 0) {
        read[device] = VersionVector.EMPTY;
      }
      Json value = Json.of("value " + step);
      WriteRequest request =
          new WriteRequest(
              key,
              new Edit.Put(JsonObject.of("v", value)),
              new Seen.Context(read[device]),
              "author " + random.nextInt(authors),
              Optional.of("device " + device),
              Optional.of(seed + "/" + step),
              WriteRequest.Sender.of("credential"),
              Optional.empty(),
              Optional.empty(),
              "");
      assertThat(node.write(request).join()).isInstanceOf(Accepted.class);
      Version version = node.history(key, Long.MAX_VALUE, 1).getFirst().version();
      written.put(version.dot(), new Written(version.context(), value));
      check(node, key, seed + ", step " + step);
    }
  }

  private void check(Node node, RecordKey key, String when) {
    for (Resolution open : node.read(key).view().resolutions()) {
      List<Json> agreed =
          agreed(open.conflict().competing().stream().map(Assignment::dot).toList());
      if (agreed.size() == 1) {
        assertThat(Path.of("v").in(node.read(key).view().data()))
            .as("%s: %s", when, open.conflict())
            .isEqualTo(agreed.getFirst());
      }
    }
  }
}
