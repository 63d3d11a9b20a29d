-- Two days, two countries: sales, a cancellation, a write-off, a free line, a fee and a correction in the books.
INSERT INTO line (sold_at, order_id, line_no, kind, product_id, quantity, unit_price, customer_id, country) VALUES
  ('2024-03-01 09:00', '1', 1, 'sale', 'CUP', 4, 2.50, 'ann', 'France'),
  ('2024-03-01 09:00', '1', 2, 'sale', 'PEN', 1, 1.20, 'ann', 'France'),
  ('2024-03-01 11:00', '2', 1, 'sale', 'CUP', 1, 2.50, NULL, 'France'),
  ('2024-03-01 11:00', '2', 2, 'fee', 'SHIP', 1, 3.00, NULL, 'France'),
  ('2024-03-01 12:00', '3', 1, 'sale', 'CUP', 2, 0, 'ann', 'France'),
  ('2024-03-02 10:00', 'C4', 1, 'cancellation', 'CUP', -1, 2.50, 'ann', 'France'),
  ('2024-03-02 10:30', '5', 1, 'sale', 'PEN', 10, 1.00, 'bob', 'Spain'),
  ('2024-03-02 11:00', '6', 1, 'adjustment', 'CUP', -7, 0, NULL, NULL),
  ('2024-03-02 12:00', 'A7', 1, 'adjustment', 'DEBT', 1, -20.00, NULL, 'France');
