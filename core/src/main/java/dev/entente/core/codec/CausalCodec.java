// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.codec;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;

/** Dots, vectors and contexts as bytes. */
public final class CausalCodec {
  private CausalCodec() {}

  public static void write(ByteWriter out, Dot dot) {
    out.text(dot.node().value()).varint(dot.number());
  }

  public static Dot readDot(ByteReader in) {
    return new Dot(new NodeId(in.text()), in.varint());
  }

  public static void write(ByteWriter out, VersionVector vector) {
    out.varint(vector.entries().size());
    vector.entries().forEach((node, number) -> out.text(node.value()).varint(number));
  }

  public static VersionVector readVector(ByteReader in) {
    int size = in.count();
    List<NodeId> nodes = new ArrayList<>(size);
    List<Long> numbers = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      Dot dot = readDot(in);
      nodes.add(dot.node());
      numbers.add(dot.number());
    }
    return size == 0
        ? VersionVector.EMPTY
        : new VersionVector(SortedArrayMap.ofSorted(nodes, numbers));
  }

  public static void write(ByteWriter out, CausalContext context) {
    write(out, context.vector());
    out.varint(context.dots().size());
    context.dots().forEach(dot -> write(out, dot));
  }

  public static CausalContext readContext(ByteReader in) {
    VersionVector vector = readVector(in);
    int size = in.count();
    if (size == 0) {
      return CausalContext.of(vector);
    }
    NavigableSet<Dot> dots = new TreeSet<>();
    for (int i = 0; i < size; i++) {
      dots.add(readDot(in));
    }
    return new CausalContext(vector, dots);
  }
}
