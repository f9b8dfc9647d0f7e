// SPDX-License-Identifier: Apache-2.0
/**
 * Turning what an author sends (a document, a patch, operations) into the changes of a version.
 * Pure.
 */
@NullMarked
package dev.entente.core.edit;

import org.jspecify.annotations.NullMarked;
