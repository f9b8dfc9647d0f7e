// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.codec;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Members;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;

/**
 * Dots and version vectors as JSON: {@code ["node", number]} and {@code {"node": number}}. Reading
 * anything else is an {@link IllegalArgumentException}.
 */
public final class CausalJson {
  private CausalJson() {}

  public static Json of(Dot dot) {
    return new JsonArray(List.of(new JsonString(dot.node().value()), JsonNumber.of(dot.number())));
  }

  public static Json of(Collection<Dot> dots) {
    return new JsonArray(dots.stream().map(CausalJson::of).toList());
  }

  public static Json of(VersionVector vector) {
    TreeMap<String, Json> entries = new TreeMap<>();
    vector.entries().forEach((node, number) -> entries.put(node.value(), JsonNumber.of(number)));
    return JsonObject.of(entries);
  }

  public static Dot dot(Json json) {
    List<Json> parts = Members.items(json, 2, "a dot");
    return new Dot(
        new NodeId(Members.text(parts.get(0), "a dot's node")),
        Members.number(parts.get(1), "a dot's number"));
  }

  public static List<Dot> dots(Json json) {
    List<Dot> dots = new ArrayList<>();
    Members.items(json, "a list of dots").forEach(dot -> dots.add(dot(dot)));
    return dots;
  }

  public static VersionVector vector(Json json) {
    if (!(json instanceof JsonObject object)) {
      throw new IllegalArgumentException("a version vector is an object");
    }
    TreeMap<NodeId, Long> entries = new TreeMap<>();
    object
        .members()
        .forEach((node, number) -> entries.put(new NodeId(node), Members.number(number, node)));
    return VersionVector.of(entries);
  }
}
