// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.json.Json;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** One state in both forms, and what reads them. */
record FormExample(String name, Class<?> of, Json json, byte[] bytes, Supplier<Receiver> receiver) {
  /** An empty replica that takes forms and shows what it has as JSON. */
  record Receiver(Consumer<byte[]> bytes, Consumer<Json> taking, Supplier<Json> shown) {
    void takeBytes(byte[] form) {
      bytes.accept(form);
    }

    void takeJson(Json form) {
      taking.accept(form);
    }

    Json json() {
      return shown.get();
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
