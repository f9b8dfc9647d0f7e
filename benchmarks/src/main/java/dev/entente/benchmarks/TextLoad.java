// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.core.text.TextDocument;
import dev.entente.core.text.Trace;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;

/**
 * Measures texts on one recorded editing history: typing it, loading and merging what was typed,
 * its size and the memory that it takes loaded. Prints one JSON line, as {@code peers/text.mjs}
 * does for other libraries. Arguments: trace, rounds.
 */
public final class TextLoad {
  private TextLoad() {}

  public static void main(String[] args) {
    Trace trace = Trace.read(args[0]);
    int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 7;
    boolean concurrent = Trace.CONCURRENT.contains(args[0]);
    double applied = 0;
    byte[] bytes;
    if (concurrent) {
      bytes = trace.history(trace.recorded());
    } else {
      applied = median(rounds, trace::typed);
      bytes = trace.typed().encode();
    }
    double merged = median(rounds, () -> TextDocument.decode(bytes, "reader"));
    long before = used();
    TextDocument loaded = TextDocument.decode(bytes, "reader");
    long after = used();
    if (!loaded.toString().equals(trace.end())) {
      throw new IllegalStateException("another text");
    }
    System.out.printf(
        Locale.ROOT,
        "{\"library\":\"entente\",\"trace\":\"%s\",\"applyMillis\":%s,\"mergeMillis\":%.3f,"
            + "\"bytes\":%d,\"memory\":%d}%n",
        args[0],
        concurrent ? "null" : String.format(Locale.ROOT, "%.3f", applied),
        merged,
        bytes.length,
        after - before);
  }

  private static double median(int rounds, Runnable work) {
    double[] millis = new double[rounds];
    for (int round = 0; round < rounds; round++) {
      long start = System.nanoTime();
      work.run();
      millis[round] = (System.nanoTime() - start) / 1e6;
    }
    Arrays.sort(millis);
    return millis[rounds / 2];
  }

  private static long used() {
    for (int i = 0; i < 5; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
