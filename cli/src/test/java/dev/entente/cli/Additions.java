// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonReader;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableSet;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/** Clients who add to sets and to a counter, and remember what was acknowledged. */
final class Additions {
  static final String POLICY =
      "type: t\ndefault: last-writer-wins\nfields: {tags: {cell: set}, n: {cell: counter}}";

  /** A set takes so many of each client's elements; a long run fills several. */
  private static final int OF_A_CLIENT = 500;

  private static final String COUNTER = "/v1/main/records/t/counter";

  private final NavigableSet<String> sets = new ConcurrentSkipListSet<>();
  private final NavigableSet<String> attempted = new ConcurrentSkipListSet<>();
  private final NavigableSet<String> acknowledged = new ConcurrentSkipListSet<>();
  private final AtomicLong triedIncrements = new AtomicLong();
  private final AtomicLong countedIncrements = new AtomicLong();

  int acknowledged() {
    return acknowledged.size();
  }

  /** Works until it is told to end. */
  void work(int client, Nodes nodes, BooleanSupplier goesOn) {
    Random chance = new Random(client);
    for (int n = 0; goesOn.getAsBoolean(); n++) {
      String element = client + "-" + n;
      try {
        RealNode node = nodes.any(chance);
        if (node == null) {
          pause();
          continue;
        }
        attempted.add(element);
        String set = "/v1/main/records/t/set-" + n / OF_A_CLIENT;
        sets.add(set);
        String add = "{\"ops\":[{\"path\":\"/tags\",\"add\":[\"" + element + "\"]}]}";
        if (patch(node, set, add).statusCode() < 300) {
          acknowledged.add(element);
        }
        triedIncrements.incrementAndGet();
        if (patch(node, COUNTER, "{\"ops\":[{\"path\":\"/n\",\"increment\":1}]}").statusCode()
            < 300) {
          countedIncrements.incrementAndGet();
        }
        Thread.sleep(5);
      } catch (IOException e) {
        // Whether it was kept is unknown; the next goes to whatever runs there then.
        pause();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static HttpResponse<String> patch(RealNode node, String path, String body)
      throws IOException, InterruptedException {
    return node.send("PATCH", path, "application/vnd.entente.ops+json", body);
  }

  /** Whether all nodes show the same, all that was acknowledged and nothing that nobody tried. */
  void check(List<RealNode> nodes) throws IOException, InterruptedException {
    List<List<String>> held = new ArrayList<>();
    List<JsonObject> counters = new ArrayList<>();
    for (RealNode node : nodes) {
      held.add(elements(node));
      counters.add(data(node, COUNTER));
      assertThat(node.send("POST", "/v1/verify", "").body()).contains("\"intact\":true");
    }
    List<String> elements = held.getFirst();
    assertThat(held).allMatch(elements::equals);
    assertThat(counters).allMatch(counters.getFirst()::equals);
    assertThat(without(acknowledged, Set.copyOf(elements))).as("acknowledged and lost").isEmpty();
    assertThat(without(elements, attempted)).as("there though nobody tried").isEmpty();
    assertThat(((JsonNumber) counters.getFirst().get("n")).longValue())
        .isBetween(countedIncrements.get(), triedIncrements.get());
    System.out.printf(
        "%d of %d additions acknowledged, %d in the sets; counted %d of %d%n",
        acknowledged.size(),
        attempted.size(),
        elements.size(),
        countedIncrements.get(),
        triedIncrements.get());
  }

  private static Set<String> without(Collection<String> some, Set<String> others) {
    Set<String> left = new TreeSet<>(some);
    left.removeAll(others);
    return left;
  }

  private List<String> elements(RealNode node) throws IOException, InterruptedException {
    List<String> elements = new ArrayList<>();
    for (String set : sets) {
      if (data(node, set).get("tags") instanceof JsonArray(var items)) {
        items.forEach(item -> elements.add(item.toString().replace("\"", "")));
      }
    }
    return elements;
  }

  private static JsonObject data(RealNode node, String path)
      throws IOException, InterruptedException {
    JsonObject read = (JsonObject) JsonReader.strict().read(node.send("GET", path, "").body());
    return read.get("data") instanceof JsonObject data ? data : JsonObject.EMPTY;
  }
}
