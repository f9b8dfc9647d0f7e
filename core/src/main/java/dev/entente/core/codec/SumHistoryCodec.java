// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.codec;

import dev.entente.core.causality.Dot;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.crdt.SumHistory;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Members;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** The binary and the JSON form of the changes that a number is the sum of. */
final class SumHistoryCodec {
  private SumHistoryCodec() {}

  static void write(ByteWriter out, SumHistory history) {
    JsonCodec.write(out, Json.of(history.own()));
    out.varint(history.earlier().size());
    history
        .earlier()
        .forEach((dot, change) -> {
          CausalCodec.write(out, dot);
          JsonCodec.write(out, Json.of(change));
        });
    out.varint(history.floor().size());
    history.floor().forEach(dot -> CausalCodec.write(out, dot));
  }

  static SumHistory read(ByteReader in) {
    BigDecimal own = readNumber(in);
    TreeMap<Dot, BigDecimal> earlier = new TreeMap<>();
    for (int left = in.count(); left > 0; left--) {
      earlier.put(CausalCodec.readDot(in), readNumber(in));
    }
    int size = in.count();
    List<Dot> floor = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      floor.add(CausalCodec.readDot(in));
    }
    return new SumHistory(own, earlier, floor);
  }

  private static BigDecimal readNumber(ByteReader in) {
    if (JsonCodec.read(in) instanceof JsonNumber(BigDecimal number)) {
      return number;
    }
    throw new DamagedException("a change of a sum is no number");
  }

  static Json toJson(SumHistory history) {
    List<Json> earlier = new ArrayList<>();
    history
        .earlier()
        .forEach((dot, change) ->
            earlier.add(JsonObject.of("dot", CausalJson.of(dot)).with("change", Json.of(change))));
    return JsonObject.of("own", Json.of(history.own()))
        .with("earlier", new JsonArray(earlier))
        .with("floor", CausalJson.of(history.floor()));
  }

  static SumHistory fromJson(Json json) {
    Members members = Members.of(json);
    TreeMap<Dot, BigDecimal> earlier = new TreeMap<>();
    for (Json one : members.items("earlier")) {
      Members change = Members.of(one);
      earlier.put(CausalJson.dot(change.value("dot")), number(change.value("change")));
      change.end();
    }
    SumHistory history =
        new SumHistory(
            number(members.value("own")), earlier, CausalJson.dots(members.value("floor")));
    members.end();
    return history;
  }

  private static BigDecimal number(Json json) {
    if (json instanceof JsonNumber(BigDecimal number)) {
      return number;
    }
    throw new IllegalArgumentException("a change of a sum is a number");
  }
}
