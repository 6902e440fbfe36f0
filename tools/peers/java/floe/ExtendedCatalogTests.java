package floe;

import org.apache.iceberg.rest.RESTCompatibilityKitCatalogTests;

/** The kit's catalog tests with those switched on that its own class leaves out for the sake of other catalogs. */
public class ExtendedCatalogTests extends RESTCompatibilityKitCatalogTests {
  @Override
  protected boolean supportsNestedNamespaces() {
    return true;
  }

  @Override
  protected boolean supportsNamesWithDot() {
    return true;
  }

  @Override
  protected boolean supportsNamesWithSlashes() {
    return true;
  }
}
