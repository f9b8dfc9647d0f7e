// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

/** The store in memory keeps the contract. */
class MemoryStoreTest extends StoreContractTest {
  @Override
  Store open() {
    return new MemoryStore();
  }
}
