"""Pictures by the million: analysed side by side on Ray Data, into Parquet (extra `scale`)."""
