// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** A recorded editing history, as the public editing traces have them. */
public record Trace(String name, String end, List<Transaction> transactions) {
  public static final List<String> SEQUENTIAL =
      List.of("automerge-paper", "rustcode", "sveltecomponent", "seph-blog1");
  public static final List<String> CONCURRENT = List.of("friendsforever", "clownschool");

  /** Edits of one agent, one after the other, who had seen the parents and what they saw. */
  public record Transaction(int agent, int[] parents, List<Patch> patches) {}

  /** Deletes some characters at a position, then inserts a text there. */
  public record Patch(int position, int deleted, String inserted) {}

  /** Where the traces are, beside the project. */
  public static Path folder() {
    Path at = Path.of("").toAbsolutePath();
    while (at.getParent() != null && !Files.isDirectory(at.resolve("shared/traces"))) {
      at = at.getParent();
    }
    return at.resolve("shared/traces");
  }

  /** Reads a trace by its name. */
  public static Trace read(String name) {
    try (JsonParser in =
        JsonFactory.builder()
            .build()
            .createParser(
                ObjectReadContext.empty(),
                new GZIPInputStream(Files.newInputStream(folder().resolve(name + ".json.gz"))))) {
      return read(name, in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Trace read(String name, JsonParser in) {
    List<Transaction> transactions = new ArrayList<>();
    String end = "";
    in.nextToken();
    while (in.nextToken() == JsonToken.PROPERTY_NAME) {
      String field = in.currentName();
      in.nextToken();
      if (field.equals("endContent")) {
        end = in.getString();
      } else if (field.equals("txns")) {
        while (in.nextToken() == JsonToken.START_OBJECT) {
          transactions.add(transaction(in));
        }
      } else {
        in.skipChildren();
      }
    }
    return new Trace(name, end, transactions);
  }

  private static Transaction transaction(JsonParser in) {
    int agent = 0;
    int[] parents = {};
    List<Patch> patches = new ArrayList<>();
    while (in.nextToken() == JsonToken.PROPERTY_NAME) {
      String field = in.currentName();
      in.nextToken();
      switch (field) {
        case "agent" -> agent = in.getIntValue();
        case "parents" -> {
          IntArray list = new IntArray();
          while (in.nextToken() != JsonToken.END_ARRAY) {
            list.add(in.getIntValue());
          }
          parents = list.toArray();
        }
        case "patches" -> {
          while (in.nextToken() == JsonToken.START_ARRAY) {
            int position = in.nextIntValue(0);
            int deleted = in.nextIntValue(0);
            patches.add(new Patch(position, deleted, in.nextStringValue()));
            in.nextToken();
          }
        }
        default -> in.skipChildren();
      }
    }
    return new Transaction(agent, parents, patches);
  }

  /** One writer types the trace. */
  public TextDocument typed() {
    TextDocument document = TextDocument.create("writer");
    for (Transaction transaction : transactions) {
      for (Patch patch : transaction.patches()) {
        document.delete(patch.position(), patch.deleted());
        document.insert(patch.position(), patch.inserted());
      }
    }
    return document;
  }

  /** The history as a replica has it that learned of the transactions in this order. */
  public byte[] history(int[] order) {
    Graph graph = new Graph();
    Operations operations = new Operations();
    int[] ends = new int[transactions.size()];
    for (int each : order) {
      Transaction transaction = transactions.get(each);
      int before = operations.size();
      for (Patch patch : transaction.patches()) {
        if (patch.deleted() > 0) {
          operations.delete(patch.position(), patch.deleted());
        }
        if (!patch.inserted().isEmpty()) {
          operations.insert(
              patch.position(),
              patch.inserted(),
              patch.inserted().codePointCount(0, patch.inserted().length()));
        }
      }
      int[] seen = new int[transaction.parents().length];
      for (int i = 0; i < seen.length; i++) {
        seen[i] = ends[transaction.parents()[i]];
      }
      java.util.Arrays.sort(seen);
      graph.add(graph.agent("agent" + transaction.agent()), operations.size() - before, seen);
      ends[each] = operations.size() - 1;
    }
    return HistoryWriter.toBytes(graph, operations, java.util.Map.of());
  }

  /** The order of the file. */
  public int[] recorded() {
    return java.util.stream.IntStream.range(0, transactions.size()).toArray();
  }
}
